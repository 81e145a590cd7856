# Measures TCP between dom0 and a guest, in dom0. The guest serves iperf3, and echoes what comes to port 7.
#   net.py pack FILE            adds iperf3 to an initramfs
#   net.py run CONFIG NAME ADDRESS BYTES ROUNDS
# The second prints, one a line, a case, what it measured, and the guest's CPU time for it: Mb/s and seconds a megabyte, or round trips a
# second and seconds a round trip.
import os, socket, sys, time

sys.path.insert(0, "/usr/lib/xen-4.17/lib/python")

LIMIT = 120

INIT = """#!/usr/bin/busybox sh
/usr/bin/busybox mount -t proc proc /proc
/usr/bin/busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do
    /usr/bin/busybox insmod "$module"
done </modules
/usr/bin/busybox ip link set lo up
/usr/bin/busybox ip address add 10.0.2.50/24 dev eth0
/usr/bin/busybox ip link set eth0 up
/usr/bin/busybox mkdir -p /tmp
while :; do /usr/bin/busybox nc -l -p 7 -e /usr/bin/busybox cat; done >/dev/null 2>&1 &
exec /usr/bin/iperf3 -s >/dev/null 2>&1
"""


def entry(name, mode, data):
    # Linux, Documentation/driver-api/early-userspace/buffer-format.rst
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    pad = lambda data: data + b"\0" * (-len(data) % 4)
    return pad(head) + pad(data)


def pack(path):
    with os.popen("LD_TRACE_LOADED_OBJECTS=1 /usr/bin/iperf3") as answer:
        words = answer.read().split()
    files = ["/usr/bin/iperf3"] + [word for word in words if word.startswith("/")]
    folders = {folder for file in files for folder in parents(file)} | {"/etc"}
    archive = b"".join(entry(folder[1:], 0o040755, b"") for folder in sorted(folders))
    for file in files:
        with open(file, "rb") as content:
            archive += entry(file[1:], 0o100755, content.read())
    archive += entry("etc/passwd", 0o100644, b"root:x:0:0:root:/:/bin/sh\n")
    archive += entry("init", 0o100755, INIT.encode())
    archive += entry("TRAILER!!!", 0, b"")
    with open(path, "ab") as initramfs:
        initramfs.write(archive + b"\0" * (-len(archive) % 512))


def parents(path):
    while (path := path.rpartition("/")[0]):
        yield path


def connect(address, port, patience):
    end = time.monotonic() + patience
    while True:
        try:
            connection = socket.create_connection((address, port), timeout=LIMIT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class Account:
    def __init__(self, name):
        from xen.lowlevel import xc

        self.hypervisor = xc.xc()
        with os.popen(f"xl domid {name}") as answer:
            self.domain = int(answer.read())

    def seconds(self):
        return self.hypervisor.domain_getinfo(self.domain, 1)[0]["cpu_time"] / 1e9


def stream(account, address, size, *options):
    import json

    before = account.seconds()
    with os.popen(f"iperf3 -J -c {address} -n {size} {' '.join(options)}") as answer:
        told = json.loads(answer.read())
    spent = account.seconds() - before
    if "error" in told:
        sys.exit(f"iperf3: {told['error']}")
    # The sum of the side that is here: the other's clock does not matter.
    total = told["end"]["sum_received" if "-R" in options else "sum_sent"]
    return total["bytes"] * 8 / total["seconds"] / 1e6, spent / (total["bytes"] / 1e6)


def round_trips(account, address, rounds):
    with connect(address, 7, 10) as connection:
        exchange(connection, rounds // 10)
        before, start = account.seconds(), time.monotonic()
        exchange(connection, rounds)
        return rounds / (time.monotonic() - start), (account.seconds() - before) / rounds


def exchange(connection, rounds):
    for _ in range(rounds):
        connection.sendall(b"x")
        if not connection.recv(1):
            sys.exit("the echo ended")


def run(config, name, address, size, rounds):
    if os.system(f"xl create -q {config} >/dev/null"):
        sys.exit("xl create failed")
    try:
        connect(address, 7, LIMIT).close()
        account = Account(name)
        stream(account, address, size // 4)
        for case, result in (
            ("stream-in", stream(account, address, size)),
            ("stream-out", stream(account, address, size, "-R")),
            ("round-trip", round_trips(account, address, rounds)),
        ):
            print(case, *result)
    finally:
        os.system(f"xl destroy {name}")


if sys.argv[1] == "pack":
    pack(sys.argv[2])
else:
    run(*sys.argv[2:5], int(sys.argv[5]), int(sys.argv[6]))
