/*
 * Stands in for Xen, so that Xen's own xenstored daemons run on plain Linux: preloaded before their libraries.
 *
 * The world is a folder, $MORGANA_XEN, which its owner changes as a test goes:
 *
 *   domains   a byte for each domain: '0' is none, '1' runs, '2' has shut down, '3' is dying
 *   ring-N    the page of domain N's ring, a file of 4,096 bytes
 *   port-0    domain 0's port, as /proc/xen/xsd_port has it
 *   evtchn    a socket of this program's: who sends it a port (4 bytes) raises the event
 *   notify    a socket of the owner's: it gets the port of each event that the daemon raises
 *   run       what the daemon takes for /var/run/xenstored and /run/xenstored
 *
 * A port has the same number at both ends. Port 1 is that of VIRQ_DOM_EXC.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

enum { VIRQ_PORT = 1, PATH_BYTES = 512, PAGE = 4096 };

/* The path of a thing in the world's folder. */
static const char *in_world(char *out, const char *name)
{
	const char *world = getenv("MORGANA_XEN");
	int len = snprintf(out, PATH_BYTES, "%s/%s", world ? world : ".", name);

	if (len < 0 || len >= PATH_BYTES)
		abort();
	return out;
}

/* The address of a socket there. */
static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof(address.sun_path))
		abort();
	memcpy(address.sun_path, path, len + 1);
	return address;
}

/* Where a file is that the daemon knows by `path`. */
static const char *place(char *out, const char *path)
{
	static const char *const run[] = { "/var/run/xenstored", "/run/xenstored" };
	char name[PATH_BYTES];
	size_t i;

	if (strcmp(path, "/proc/xen/xsd_kva") == 0)
		return in_world(out, "ring-0");
	if (strcmp(path, "/proc/xen/xsd_port") == 0)
		return in_world(out, "port-0");
	for (i = 0; i < sizeof(run) / sizeof(run[0]); i++) {
		size_t len = strlen(run[i]);

		if (strncmp(path, run[i], len) == 0 && (path[len] == '/' || path[len] == '\0')) {
			int used = snprintf(name, sizeof(name), "run%s", path + len);

			if (used < 0 || used >= PATH_BYTES)
				abort();
			return in_world(out, name);
		}
	}
	return path;
}

static int opened(const char *path, int flags, mode_t mode)
{
	static int (*real)(const char *, int, ...);
	char out[PATH_BYTES];

	if (!real)
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
	return real(place(out, path), flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
	va_end(list);
	return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
	va_end(list);
	return opened(path, flags, mode);
}

int mkdir(const char *path, mode_t mode)
{
	static int (*real)(const char *, mode_t);
	char out[PATH_BYTES];

	if (!real)
		real = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
	return real(place(out, path), mode);
}

int unlink(const char *path)
{
	static int (*real)(const char *);
	char out[PATH_BYTES];

	if (!real)
		real = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
	return real(place(out, path));
}

int chmod(const char *path, mode_t mode)
{
	static int (*real)(const char *, mode_t);
	char out[PATH_BYTES];

	if (!real)
		real = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "chmod");
	return real(place(out, path), mode);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
	static int (*real)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_un moved;
	char out[PATH_BYTES], asked[sizeof(moved.sun_path) + 1] = "";

	if (!real)
		real = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
	if (address->sa_family != AF_UNIX || len <= sizeof(address->sa_family))
		return real(fd, address, len);
	memcpy(asked, ((const struct sockaddr_un *)address)->sun_path, len - sizeof(address->sa_family));
	moved = address_of(place(out, asked));
	return real(fd, (const struct sockaddr *)&moved, sizeof(moved));
}

/*
 * C xenstored 4.17 answers some malformed requests with whatever errno is left over, and ends where that is 0 (newer ones set it). So
 * that it lives on, what a request is read with leaves the error that it should have.
 */
ssize_t read(int fd, void *buffer, size_t len)
{
	static ssize_t (*real)(int, void *, size_t);
	ssize_t got;

	if (!real)
		real = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	got = real(fd, buffer, len);
	if (got >= 0)
		errno = EINVAL;
	return got;
}

/* oxenstored wants more descriptors than an ordinary user may have, and ends if it can't. */
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}

/* Event channels: one socket. */

struct xenevtchn_handle {
	int fd;
	struct sockaddr_un owner;
};

xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned flags)
{
	struct xenevtchn_handle *handle = calloc(1, sizeof(*handle));
	char out[PATH_BYTES];

	(void)logger;
	(void)flags;
	if (!handle)
		return NULL;
	handle->fd = fd;
	handle->owner = address_of(in_world(out, "notify"));
	return handle;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
	char out[PATH_BYTES];
	struct sockaddr_un own = address_of(in_world(out, "evtchn"));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return NULL;
	unlink(own.sun_path);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return NULL;
	return xenevtchn_fdopen(logger, fd, flags);
}

int xenevtchn_close(xenevtchn_handle *handle)
{
	int status = close(handle->fd);

	free(handle);
	return status;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
	return handle->fd;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
	uint32_t port;

	if (recv(handle->fd, &port, sizeof(port), 0) != sizeof(port))
		return -1;
	return (xenevtchn_port_or_error_t)port;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port)
{
	(void)handle;
	(void)port;
	return 0;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
	uint32_t number = port;

	/* Where the queue is full the owner is awake already. */
	sendto(handle->fd, &number, sizeof(number), MSG_DONTWAIT | MSG_NOSIGNAL,
	       (struct sockaddr *)&handle->owner, sizeof(handle->owner));
	/* As after read, above: this is how a request is read off a ring. */
	errno = EINVAL;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, evtchn_port_t port)
{
	(void)handle;
	(void)domid;
	return (xenevtchn_port_or_error_t)port;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned virq)
{
	(void)handle;
	(void)virq;
	return VIRQ_PORT;
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
	(void)handle;
	(void)port;
	return 0;
}

/* Grants and foreign pages: a domain's only page is that of its ring. */

static void *ring_of(uint32_t domid)
{
	char name[32], out[PATH_BYTES];
	void *page;
	int fd;

	snprintf(name, sizeof(name), "ring-%u", (unsigned)domid);
	fd = open(in_world(out, name), O_RDWR);
	if (fd < 0)
		return NULL;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
	static char opened;

	(void)logger;
	(void)flags;
	return (xengnttab_handle *)&opened;
}

int xengnttab_close(xengnttab_handle *handle)
{
	(void)handle;
	return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t count)
{
	(void)handle;
	(void)count;
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t grant, int protection)
{
	(void)handle;
	(void)grant;
	(void)protection;
	return ring_of(domid);
}

int xengnttab_unmap(xengnttab_handle *handle, void *address, uint32_t count)
{
	(void)handle;
	return munmap(address, (size_t)count * PAGE);
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size, int protection, unsigned long mfn)
{
	(void)xch;
	(void)size;
	(void)protection;
	(void)mfn;
	return ring_of(domid);
}

/* The list of domains. */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *builder, unsigned flags)
{
	static char opened;

	(void)logger;
	(void)builder;
	(void)flags;
	return (xc_interface *)&opened;
}

int xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

/* The first domain from `domid` on, and how it is; '0' if there is none. */
static char domain_from(uint32_t *domid)
{
	char out[PATH_BYTES], state = '0';
	int fd = open(in_world(out, "domains"), O_RDONLY);

	if (fd < 0)
		return '0';
	while (pread(fd, &state, 1, *domid) == 1 && state == '0')
		++*domid;
	close(fd);
	return state == '1' || state == '2' || state == '3' ? state : '0';
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned max, xc_dominfo_t *info)
{
	unsigned count;
	char state;

	(void)xch;
	for (count = 0; count < max && (state = domain_from(&first)) != '0'; count++, first++) {
		memset(&info[count], 0, sizeof(info[count]));
		info[count].domid = first;
		info[count].running = state == '1';
		info[count].shutdown = state != '1';
		info[count].dying = state == '3';
	}
	return (int)count;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max, xc_domaininfo_t *info)
{
	unsigned count;
	char state;

	(void)xch;
	for (count = 0; count < max && (state = domain_from(&first)) != '0'; count++, first++) {
		memset(&info[count], 0, sizeof(info[count]));
		info[count].domain = (domid_t)first;
		info[count].flags = state == '1' ? XEN_DOMINF_running :
			state == '2' ? XEN_DOMINF_shutdown : XEN_DOMINF_dying;
	}
	return (int)count;
}
