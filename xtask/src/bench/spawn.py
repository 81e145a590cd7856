# Times `morgana create` and `xl create`, and the ends of such domains, in dom0. Prints a JSON object a case, with the seconds of each run.
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


def tell(case, ours, theirs):
    # The module for JSON is not in the smallest Python; numbers in a list look the same there.
    print(f'{{"case": "{case}", "ours": {ours}, "theirs": {theirs}}}', flush=True)


def cases(suffix):
    config = renamed("hello.cfg", "spawned")
    create, destroy, ahead = ([], []), ([], []), []
    run("morgana", "prepare", "--count", str(RUNS), config)
    for _ in range(RUNS):
        for side, tool in enumerate(("morgana", "xl")):
            create[side].append(timed(tool, "create", config))
            destroy[side].append(timed(tool, "destroy", "spawned"))
        ahead.append(timed("morgana", "create", "--ahead", config))
        run("morgana", "destroy", "spawned")
    tell("create" + suffix, *create)
    tell("create-ahead" + suffix, ahead, create[1])
    tell("destroy" + suffix, *destroy)


def first_byte(tool):
    run("sh", "-c", "ip neigh flush dev xenbr0 || true")
    start = time.monotonic()
    create = subprocess.Popen((tool, "create", "website.cfg"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while time.monotonic() < start + LIMIT:
        try:
            with socket.create_connection((ADDRESS, 80), timeout=LIMIT) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    seconds = time.monotonic() - start
                    create.wait()
                    run(tool, "destroy", "website")
                    return seconds
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"no answer after {tool} create")


# dom0 would ask for the address once a second, and give up after three times.
for key, value in (("retrans_time_ms", "50"), ("mcast_solicit", "4000")):
    with open(f"/proc/sys/net/ipv4/neigh/xenbr0/{key}", "w") as setting:
        setting.write(value)
cases("")
bytes_ = ([], [])
for _ in range(RUNS):
    for side, tool in enumerate(("morgana", "xl")):
        bytes_[side].append(first_byte(tool))
tell("first-byte", *bytes_)
for number in range(MANY):
    run("morgana", "create", "--name", f"idle-{number}", "hello.cfg")
cases(f"-{MANY + 1}st")
for number in range(MANY):
    run("morgana", "destroy", f"idle-{number}")
