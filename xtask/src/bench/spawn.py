# Times `morgana create`, `morgana daemon` and `xl create`, and the ends of such domains, in dom0. Prints a JSON object a case, with the seconds of each run. What is to be measured are
# its arguments: `cases SUFFIX`, `crowd DOMAINS`, `cycles TIMES`.
import os, socket, subprocess, sys, time

RUNS = 5
# How many domains live meanwhile in the cases of many.
MANY = 100
ADDRESS = "10.0.2.50"
LIMIT = 60


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def timed(*words):
    start = time.monotonic()
    run(*words)
    return time.monotonic() - start


def renamed(config, name):
    with open(config) as file:
        lines = [line for line in file if not line.startswith("name")]
    path = f"/guests/{name}.cfg"
    with open(path, "w") as file:
        file.write(f'name = "{name}"\n' + "".join(lines))
    return path


class Daemon:
    SOCKET = "/run/morgana/socket"

    def __init__(self):
        self.process = subprocess.Popen(("morgana", "daemon"), stdout=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + LIMIT
        while True:
            try:
                self.socket.connect(self.SOCKET)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.lines = self.socket.makefile("rb")

    # Each value is text.
    def ask(self, do, **fields):
        pairs = [("do", do), *fields.items()]
        words = ", ".join(f'"{key}": {value}' if isinstance(value, int) else f'"{key}": "{value}"' for key, value in pairs)
        self.socket.sendall(f"{{{words}}}\n".encode())
        answer = self.lines.readline().decode()
        if not answer.startswith('{"ok"'):
            raise SystemExit(f"{do} {fields}: {answer}")
        return answer

    def timed(self, do, **fields):
        start = time.monotonic()
        self.ask(do, **fields)
        return time.monotonic() - start

    # Has so many domains built ahead, and waits for them.
    def keep(self, config, count):
        self.ask("keep", config=config, count=count)
        end = time.monotonic() + LIMIT
        while f'"there":{count}' not in self.ask("kept"):
            if time.monotonic() > end:
                raise SystemExit("no domain is built ahead")
            time.sleep(0.02)


def lines(*words):
    # Of some roots there is nothing yet.
    return subprocess.run(words, capture_output=True, text=True).stdout.splitlines()


# What Xen says when this key is pressed.
def xen_says(key):
    lines("xl", "dmesg", "-c")
    lines("xl", "debug-keys", key)
    return lines("xl", "dmesg")


def nodes():
    return sum((lines("xenstore-ls", "-f", root) for root in ("/local/domain", "/vm", "/libxl", "/tool")), [])


# What is in use of the machine when there is no domain but dom0: pages that Xen has free, domains, nodes, dom0's event channels, grants that somebody has mapped, frames for what dom0 maps.
def used():
    grants = xen_says("g")
    return {
        "free": sum(int(line.split()[-2]) for line in xen_says("H") if "heap[" in line),
        "domains": len(lines("xl", "list")) - 1,
        "nodes": len(nodes()),
        "ports": sum("[0/" in line or "[1/" in line for line in xen_says("e")),
        "grants": sum("0x" in line for line in grants),
        "tables": " ".join(line.split(")", 1)[1].strip() for line in grants if "maptrack" in line),
    }


# What was in use before is in use again, as soon as dom0's drivers have let go; but for so many pages of Xen's own tables.
def settled(before, tables=0):
    def is_as_before(now):
        missing = before["free"] - now["free"]
        kept = {"free": now["free"], "tables": now["tables"]} if tables else {}
        return before | kept == now and 0 <= missing <= tables

    end = time.monotonic() + LIMIT
    while not is_as_before(now := used()):
        if time.monotonic() > end:
            raise SystemExit("\n".join((f"before {before}, afterwards {now}", *nodes())))
        time.sleep(0.5)
    print(f"before {before}, afterwards {now}", file=sys.stderr)


def tell(case, ours, theirs):
    # The module for JSON is not in the smallest Python; numbers in a list look the same there.
    print(f'{{"case": "{case}", "ours": {ours}, "theirs": {theirs}}}', flush=True)


def cases(daemon, suffix):
    config = renamed("hello.cfg", "spawned")
    create, destroy, ahead = ([], [], []), ([], [], []), []
    for _ in range(RUNS):
        for side, tool in enumerate(("morgana", "xl")):
            create[side].append(timed(tool, "create", config))
            destroy[side].append(timed(tool, "destroy", "spawned"))
        create[2].append(daemon.timed("create", config=config))
        destroy[2].append(daemon.timed("destroy", domain="spawned"))
        daemon.keep(config, 1)
        # Not while the next one is built.
        daemon.ask("keep", config=config, count=0)
        ahead.append(daemon.timed("create", config=config))
        daemon.ask("destroy", domain="spawned")
    tell("create" + suffix, create[0], create[1])
    tell("daemon-create" + suffix, create[2], create[1])
    tell("daemon-create-ahead" + suffix, ahead, create[1])
    tell("destroy" + suffix, destroy[0], destroy[1])
    tell("daemon-destroy" + suffix, destroy[2], destroy[1])


# Many web domains at once, each of which serves its page.
#
# What a domain sends to all when it comes up wakes all others, and Xen gives each that runs as much as dom0, which has all the work. So dom0 comes first, and the domains do without IPv6,
# which has them ask for routers.
def crowd(daemon, count):
    run("xl", "sched-credit2", "-d", "0", "-w", "65535")
    # Whoever says where it is need not be asked: a question wakes all guests. What was learnt stays.
    set_kernel("ipv4/conf/xenbr0/arp_accept", 1)
    set_kernel("ipv4/neigh/default/gc_thresh1", 1024)
    with open("website.cfg") as file:
        text = [line for line in file if not line.startswith(("name", "memory", "extra"))]
    with open("/guests/page.cfg", "w") as file:
        file.write('name = "page"\nmemory = 4\nextra = ""\n' + "".join(text))

    def make_and_end(numbers):
        start = time.monotonic()
        seconds = []
        for number in numbers:
            began = time.monotonic()
            daemon.ask("create", config="/guests/page.cfg", name=f"page-{number}", extra=f"ip={address(number)}/24 ip6=off")
            page(number)
            seconds.append(time.monotonic() - began)
            if number % 10 == 9:
                print(f"{number + 1} are made and have shown their page, the last ten in {sum(seconds[-10:]):.1f} s", file=sys.stderr)
                busiest()
        made = time.monotonic() - start
        for number in numbers:
            began = time.monotonic()
            page(number)
            if (took := time.monotonic() - began) > 3:
                print(f"the page of {number} took {took:.1f} s", file=sys.stderr)
        answered = time.monotonic() - start - made
        print(f"with all of them there, all pages took {answered:.1f} s", file=sys.stderr)
        for number in numbers:
            daemon.ask("destroy", domain=f"page-{number}")
        return made, answered

    # What is there from the first one on, and stays.
    make_and_end(range(3))
    quiet = calm()
    made, answered = make_and_end(range(count))
    tell(f"daemon-make-{count}-web", [made], [])
    tell(f"daemon-answers-of-{count}-web", [answered], [])
    # Xen's tables of dom0's ports and mapped grants grow with the domains, by less than a page for eight, and are kept for as many as there ever were.
    settled(quiet, 2 + count // 8)


def address(number):
    return f"10.0.2.{51 + number}"


def page(number):
    end = time.monotonic() + LIMIT
    while True:
        try:
            with socket.create_connection((address(number), 80), timeout=LIMIT) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(15) == b"HTTP/1.1 200 OK":
                    return
        except OSError as error:
            why = error
        if time.monotonic() > end:
            told = "\n".join(network_of(number) + lines("tail", "-n", "20", f"/var/log/xen/console/guest-page-{number}.log"))
            raise SystemExit(f"no page from {address(number)}: {why}\n{told}")
        time.sleep(0.05)


# What dom0 knows of a domain's network: the address, the interface, the rings and the interrupt of its back end, the ports of its event channels.
def network_of(number):
    domid = lines("xl", "domid", f"page-{number}")[0]
    vif = f"vif{domid}.0"
    run("mount", "-t", "debugfs", "none", "/sys/kernel/debug")
    return [
        *lines("xl", "list", f"page-{number}"),
        *lines("ip", "neigh", "show", address(number)),
        *lines("ip", "-s", "link", "show", vif),
        *lines("sh", "-c", f"cat /sys/kernel/debug/xen-netback/{vif}/*; grep {vif} /proc/interrupts"),
        *(line for line in xen_says("e") if f"d={domid} " in line),
    ]


# Seconds of processor time of dom0's processes, those of the kernel's too, by their names without numbers; and of domains.
def processor_times():
    times = {}
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                with open(f"/proc/{process}/stat") as file:
                    name, rest = file.read().rsplit(")", 1)
                words = rest.split()
                name = name.split("(", 1)[1].translate({ord(digit): None for digit in "0123456789"})
                times[name] = times.get(name, 0) + (int(words[11]) + int(words[12])) / 100
            except OSError:
                pass
    for line in lines("xl", "list")[1:]:
        words = line.split()
        kind = "all of " + ("dom0" if words[1] == "0" else "the guests")
        times[kind] = times.get(kind, 0) + float(words[-1])
    return times


# Who has had the processors since the last call.
def busiest(before={}):
    now = processor_times()
    spent = sorted(((time - before.get(name, 0), name) for name, time in now.items()), reverse=True)
    print("  ".join(f"{name}: {time:.2f} s" for time, name in spent[:12]), file=sys.stderr)
    before.clear()
    before.update(now)


# What the machine says when something has failed.
def circumstances():
    busiest()
    for command in (
        "xl list | wc -l; xl list | tail -n 3; xl info | grep memory; cat /proc/loadavg",
        "grep -E '^(MemFree|MemAvailable|Slab|SUnreclaim|VmallocUsed|Percpu)' /proc/meminfo; df /tmp /run",
        "ls /sys/class/net | grep -c vif; ls /sys/class/net | tail -n 4; ip neigh | wc -l",
        "dmesg | tail -n 15",
        "for name in $(xl list | sed -n 's/ .*c[d-] .*//p'); do tail -n 15 /var/log/xen/console/guest-$name.log; done",
    ):
        print(command, *lines("sh", "-c", command), sep="\n", file=sys.stderr)


# What is in use when nothing changes any more.
def calm():
    end = time.monotonic() + LIMIT
    before = None
    while (now := used()) != before:
        if time.monotonic() > end:
            raise SystemExit(f"no calm: {before}, {now}")
        before = now
        time.sleep(1)
    return now


# Nothing is left of domains that were made and ended, half of them of those built ahead, and some with a network interface.
def cycles(daemon, count):
    def cycle(number):
        config = "/guests/website.cfg" if number % 10 > 7 else "/guests/hello.cfg"
        if number % 2:
            daemon.keep(config, 1)
            daemon.ask("keep", config=config, count=0)
        start = time.monotonic()
        daemon.ask("create", config=config, name="cycle")
        daemon.ask("destroy", domain="cycle")
        return time.monotonic() - start

    for number in range(10):
        cycle(number)
    before = calm()
    seconds = [cycle(number) for number in range(count)]
    tell(f"daemon-cycle-of-{count}", seconds[::2], [])
    tell(f"daemon-cycle-ahead-of-{count}", seconds[1::2], [])
    settled(before)


# From the order to the first byte of a page.
def first_byte(create):
    run("sh", "-c", "ip neigh flush dev xenbr0 || true")
    start = time.monotonic()
    process = create()
    while time.monotonic() < start + LIMIT:
        try:
            with socket.create_connection((ADDRESS, 80), timeout=LIMIT) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    seconds = time.monotonic() - start
                    if process:
                        process.wait()
                    run("morgana", "destroy", "website")
                    return seconds
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit("no answer after create")


def started(tool):
    return subprocess.Popen((tool, "create", "website.cfg"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def set_kernel(setting, value):
    with open(f"/proc/sys/net/{setting}", "w") as file:
        file.write(str(value))


def first_bytes(daemon, suffix):
    # dom0 would ask for the address once a second, and give up after three times. Only here: each question goes to all domains of the bridge.
    set_kernel("ipv4/neigh/xenbr0/retrans_time_ms", 50)
    set_kernel("ipv4/neigh/xenbr0/mcast_solicit", 4000)
    config = "/guests/website.cfg"
    seconds = ([], [], [])
    for _ in range(RUNS):
        for side, tool in enumerate(("morgana", "xl")):
            seconds[side].append(first_byte(lambda: started(tool)))
        daemon.keep(config, 1)
        daemon.ask("keep", config=config, count=0)
        seconds[2].append(first_byte(lambda: daemon.ask("create", config=config) and None))
    tell("first-byte" + suffix, seconds[0], seconds[1])
    tell("daemon-first-byte" + suffix, seconds[2], seconds[1])


daemon = Daemon()
what, *how = sys.argv[1:]
if what == "cases":
    for measure in (cases, first_bytes):
        measure(daemon, how[0])
    for number in range(MANY):
        daemon.ask("create", config="/guests/hello.cfg", name=f"idle-{number}")
    for measure in (cases, first_bytes):
        measure(daemon, f"-{MANY + 1}st{how[0]}")
elif what == "crowd":
    try:
        crowd(daemon, int(how[0]))
    except SystemExit:
        circumstances()
        raise
elif what == "cycles":
    cycles(daemon, int(how[0]))
daemon.process.terminate()
daemon.process.wait()
