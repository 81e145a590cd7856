# Times one boot, in dom0. Prints seconds.
#   boot.py first-byte CONFIG NAME ADDRESS    from the start of `xl create` to the first byte of an HTTP answer
#   boot.py first-packet CONFIG NAME          from the domain's unpause to the first packet that it sends
# The domain is destroyed in the end.
import os, socket, sys, time

sys.path.insert(0, "/usr/lib/xen-4.17/lib/python")

LIMIT = 120
PACKET_OUTGOING = 4  # linux/if_packet.h: what dom0 itself sends
ETH_P_ALL = 3  # linux/if_ether.h


def spawn(*words):
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (1, 2)]
    return os.posix_spawnp(words[0], words, os.environ, file_actions=null)


def wait(process, what):
    _, status = os.waitpid(process, 0)
    if status:
        sys.exit(f"{what} failed with status {status}")


def domain_id(name):
    with os.popen(f"xl domid {name}") as answer:
        return int(answer.read())


def first_byte(config, name, address):
    # dom0 would ask for the address once a second, and give up after three times.
    for key, value in (("retrans_time_ms", "50"), ("mcast_solicit", "4000")):
        with open(f"/proc/sys/net/ipv4/neigh/xenbr0/{key}", "w") as setting:
            setting.write(value)
    os.system("ip neigh flush dev xenbr0 >/dev/null 2>&1")
    start = time.monotonic()
    create = spawn("xl", "create", config)
    while time.monotonic() < start + LIMIT:
        try:
            with socket.create_connection((address, 80), timeout=LIMIT) as connection:
                connection.settimeout(5)
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    end = time.monotonic()
                    wait(create, "xl create")
                    return end - start
        except OSError:
            pass
        time.sleep(0.01)
    sys.exit("no answer")


def first_packet(config, name):
    from xen.lowlevel import xc

    wait(spawn("xl", "create", "-p", config), "xl create")
    domain = domain_id(name)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.bind((f"vif{domain}.0", 0))
    wire.settimeout(LIMIT)
    hypervisor = xc.xc()
    start = time.monotonic()
    hypervisor.domain_unpause(domain)
    while True:
        _, origin = wire.recvfrom(64)
        if origin[2] != PACKET_OUTGOING:
            return time.monotonic() - start


case, config, name = sys.argv[1:4]
try:
    seconds = first_byte(config, name, sys.argv[4]) if case == "first-byte" else first_packet(config, name)
finally:
    wait(spawn("xl", "destroy", name), "xl destroy")
print(f"{seconds:.6f}")
