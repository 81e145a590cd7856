/*
 * One end of a vchan by libxenvchan: what the tests and the benchmark have beside ours.
 *
 *     peer end=server|client peer=DOMAIN path=PATH do=WHAT [size=BYTES] [bytes=BYTES] [piece=BYTES] [count=COUNT]
 *
 * DOMAIN is the other end's. A server's rings hold at least BYTES of `size` each. WHAT is
 *
 *     stream    bytes of all lengths, blocking and not, against an end that sends back what comes; prints "same"
 *     messages  the same with whole messages, and with the other end closing, coming again, and going for good
 *     echo      sends back what comes
 *     sink      takes `bytes` bytes, and answers with one
 *     source    sends `bytes` bytes in pieces of `piece`, waits for the answer, prints the nanoseconds that it took
 *     ping      sends a byte and waits for one, `count` times; prints the nanoseconds that the middle one took
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxenvchan.h>

static struct libxenvchan *vchan;

static void die(const char *what, long detail)
{
    fprintf(stderr, "peer: %s (%ld)\n", what, detail);
    exit(1);
}

/* What stands behind `name=` among the arguments. */
static const char *word(char **arguments, const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (; *arguments; arguments++)
        if (!strncmp(*arguments, name, len) && (*arguments)[len] == '=')
            return *arguments + len + 1;
    if (!otherwise)
        die(name, 0);
    return otherwise;
}

static long number(char **arguments, const char *name, const char *otherwise)
{
    return strtol(word(arguments, name, otherwise), NULL, 10);
}

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void *room(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory)
        die("no memory", (long)bytes);
    return memory;
}

/* A client tries until there is a server: one that comes again has not written its keys yet. */
static void open_end(char **arguments)
{
    const char *path = word(arguments, "path", NULL);
    int peer = (int)number(arguments, "peer", "0");
    size_t size = (size_t)number(arguments, "size", "65536");
    if (!strcmp(word(arguments, "end", NULL), "server")) {
        vchan = libxenvchan_server_init(NULL, peer, path, size, size);
    } else {
        for (int attempt = 0; attempt < 600 && !vchan; attempt++) {
            if (attempt)
                usleep(100000);
            vchan = libxenvchan_client_init(NULL, peer, path);
            /* The library does not look whether the server that has left its keys is still there. */
            if (vchan && !libxenvchan_is_open(vchan)) {
                libxenvchan_close(vchan);
                vchan = NULL;
            }
        }
    }
    if (!vchan)
        die("there is no vchan", peer);
    vchan->blocking = 1;
}

static void close_end(void)
{
    libxenvchan_close(vchan);
    vchan = NULL;
}

static size_t ring(void)
{
    int order = vchan->write.order < vchan->read.order ? vchan->write.order : vchan->read.order;
    return (size_t)1 << order;
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t at = 0; at < len; at++)
        bytes[at] = (uint8_t)((at * 7 + (at >> 8) + seed * 31) & 0xff);
}

static void same(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t at = 0; at < len; at++)
        if (a[at] != b[at])
            die("a byte is wrong", (long)at);
}

/* Lengths from one byte to more than a ring. */
static size_t lengths(size_t *into)
{
    static const size_t fixed[] = { 1, 2, 3, 7, 64, 100, 777, 1000, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 5000 };
    size_t count = 0, all = ring();
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (fixed[i] < all)
            into[count++] = fixed[i];
    into[count++] = all - 1;
    into[count++] = all;
    into[count++] = all + 1;
    into[count++] = all + all / 2;
    return count;
}

static void stream_blocking(void)
{
    size_t sizes[32], count = lengths(sizes);
    uint8_t *sent = room(2 * ring()), *back = room(2 * ring());
    for (size_t i = 0; i < count; i++) {
        size_t len = sizes[i], got = 0;
        fill(sent, len, (unsigned)i);
        int done = libxenvchan_write(vchan, sent, len);
        if (done != (int)len)
            die("a write is short", done);
        while (got < len) {
            done = libxenvchan_read(vchan, back + got, len - got);
            if (done <= 0)
                die("a read fails", done);
            got += (size_t)done;
        }
        same(sent, back, len);
    }
    free(sent);
    free(back);
}

/* Reads and writes in turn what is possible, and waits if nothing is. */
static void stream_polling(void)
{
    size_t all = 8 * ring(), written = 0, read = 0, most = 3 * ring();
    uint8_t *sent = room(all), *back = room(all);
    unsigned step = 1;
    fill(sent, all, 77);
    vchan->blocking = 0;
    while (read < all) {
        size_t len = step++ * 997 % most + 1, moved = 0;
        if (written < all) {
            int done = libxenvchan_write(vchan, sent + written, len < all - written ? len : all - written);
            if (done < 0)
                die("a write fails", done);
            written += (size_t)done;
            moved += (size_t)done;
        }
        int done = libxenvchan_read(vchan, back + read, len < all - read ? len : all - read);
        if (done < 0)
            die("a read fails", done);
        read += (size_t)done;
        moved += (size_t)done;
        if (!moved && libxenvchan_wait(vchan))
            die("a wait fails", 0);
    }
    vchan->blocking = 1;
    same(sent, back, all);
    free(sent);
    free(back);
}

static void send_whole(const void *bytes, size_t len)
{
    int done;
    while (!(done = libxenvchan_send(vchan, bytes, len)))
        if (libxenvchan_wait(vchan))
            die("a wait fails", 0);
    if (done != (int)len)
        die("a message is not sent", done);
}

static void receive_whole(void *bytes, size_t len)
{
    int done;
    while (!(done = libxenvchan_recv(vchan, bytes, len)))
        if (libxenvchan_wait(vchan))
            die("a wait fails", 0);
    if (done != (int)len)
        die("a message is not received", done);
}

/* A message is its length and so many bytes, sent at once; what comes back is the same. */
static void messages(int blocking)
{
    size_t sizes[32], count = lengths(sizes), all = ring();
    uint8_t *sent = room(all + 1), *back = room(all + 1);
    vchan->blocking = blocking;
    for (size_t i = 0; i < count; i++) {
        size_t len = sizes[i] + 4 <= all ? sizes[i] : all - 4;
        uint32_t header = (uint32_t)len;
        memcpy(sent, &header, 4);
        fill(sent + 4, len, (unsigned)i);
        send_whole(sent, len + 4);
        receive_whole(back, 4);
        same(sent, back, 4);
        receive_whole(back, len);
        same(sent + 4, back, len);
    }
    vchan->blocking = 1;
    int done = libxenvchan_send(vchan, sent, ((size_t)1 << vchan->write.order) + 1);
    if (done != -1)
        die("a message longer than the ring is sent", done);
    free(sent);
    free(back);
}

/* Asks the other end to say good-bye and to close. */
static void ask_to_close(uint32_t how)
{
    char back[3];
    send_whole(&how, sizeof(how));
    receive_whole(back, sizeof(back));
    if (memcmp(back, "bye", 3))
        die("there is no good-bye", back[0]);
}

/* The other end is gone, and all that it has written was read. */
static void is_closed(void)
{
    char byte;
    int done = libxenvchan_read(vchan, &byte, 1);
    if (done != -1)
        die("a closed vchan is read", done);
    done = libxenvchan_write(vchan, &byte, 1);
    if (done != -1)
        die("a closed vchan is written", done);
    if (libxenvchan_is_open(vchan))
        die("a closed vchan is open", 0);
}

static const uint32_t COME_AGAIN = 0, GO = UINT32_MAX;

static void messages_and_ends(char **arguments)
{
    messages(1);
    messages(0);
    if (vchan->is_server) {
        /* The other end comes to the same rings again. */
        vchan->server_persist = 1;
        ask_to_close(COME_AGAIN);
        messages(1);
        vchan->server_persist = 0;
    } else {
        ask_to_close(COME_AGAIN);
        is_closed();
        close_end();
        open_end(arguments);
        messages(1);
    }
    ask_to_close(GO);
    is_closed();
}

static void echo(void)
{
    static uint8_t piece[4096];
    for (;;) {
        int len = libxenvchan_read(vchan, piece, sizeof(piece));
        if (len < 0 || libxenvchan_write(vchan, piece, (size_t)len) != len)
            return;
    }
}

static void sink(size_t bytes, size_t most)
{
    uint8_t *piece = room(most);
    for (size_t got = 0; got < bytes;) {
        int len = libxenvchan_read(vchan, piece, most);
        if (len < 0)
            die("the stream has ended", (long)got);
        got += (size_t)len;
    }
    if (libxenvchan_write(vchan, "!", 1) != 1)
        die("the answer is not sent", 0);
    free(piece);
}

static void answer(void)
{
    char byte;
    int len = libxenvchan_read(vchan, &byte, 1);
    if (len != 1)
        die("there is no answer", len);
}

static void source(size_t bytes, size_t most)
{
    uint8_t *piece = room(most);
    uint64_t start = now_ns();
    for (size_t left = bytes; left;) {
        size_t len = left < most ? left : most;
        if (libxenvchan_write(vchan, piece, len) != (int)len)
            die("the stream has ended", (long)left);
        left -= len;
    }
    answer();
    printf("%llu\n", (unsigned long long)(now_ns() - start));
    free(piece);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void ping(size_t count)
{
    uint64_t *times = room(count * sizeof(*times));
    for (size_t i = 0; i < count; i++) {
        uint64_t start = now_ns();
        if (libxenvchan_write(vchan, "x", 1) != 1)
            die("the vchan has ended", (long)i);
        answer();
        times[i] = now_ns() - start;
    }
    qsort(times, count, sizeof(*times), by_size);
    printf("%llu\n", (unsigned long long)times[count / 2]);
    free(times);
}

int main(int count, char **arguments)
{
    (void)count;
    setbuf(stdout, NULL);
    size_t bytes = (size_t)number(arguments, "bytes", "0");
    size_t piece = (size_t)number(arguments, "piece", "4096");
    const char *what = word(arguments, "do", NULL);
    open_end(arguments);
    if (!strcmp(what, "stream")) {
        stream_blocking();
        stream_polling();
        stream_blocking();
        puts("same");
    } else if (!strcmp(what, "messages")) {
        messages_and_ends(arguments);
        puts("same");
    } else if (!strcmp(what, "echo")) {
        echo();
    } else if (!strcmp(what, "sink")) {
        sink(bytes, piece);
    } else if (!strcmp(what, "source")) {
        source(bytes, piece);
    } else if (!strcmp(what, "ping")) {
        ping((size_t)number(arguments, "count", "1000"));
    } else {
        die(what, 0);
    }
    close_end();
    return 0;
}
