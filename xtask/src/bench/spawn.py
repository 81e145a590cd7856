# Times `morgana create`, `morgana daemon` and `xl create`, and the ends of such domains, in dom0. Prints a JSON object a case, with the seconds of each run.
import socket, subprocess, time

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
            raise SystemExit(f"{do}: {answer}")
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
            time.sleep(0.1)


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


def first_bytes(daemon):
    config = "/guests/website.cfg"
    seconds = ([], [], [])
    for _ in range(RUNS):
        for side, tool in enumerate(("morgana", "xl")):
            seconds[side].append(first_byte(lambda: started(tool)))
        daemon.keep(config, 1)
        daemon.ask("keep", config=config, count=0)
        seconds[2].append(first_byte(lambda: daemon.ask("create", config=config) and None))
    tell("first-byte", seconds[0], seconds[1])
    tell("daemon-first-byte", seconds[2], seconds[1])


# dom0 would ask for the address once a second, and give up after three times.
for key, value in (("retrans_time_ms", "50"), ("mcast_solicit", "4000")):
    with open(f"/proc/sys/net/ipv4/neigh/xenbr0/{key}", "w") as setting:
        setting.write(value)
daemon = Daemon()
cases(daemon, "")
first_bytes(daemon)
for number in range(MANY):
    daemon.ask("create", config="/guests/hello.cfg", name=f"idle-{number}")
cases(daemon, f"-{MANY + 1}st")
for number in range(MANY):
    daemon.ask("destroy", domain=f"idle-{number}")
daemon.process.terminate()
daemon.process.wait()
