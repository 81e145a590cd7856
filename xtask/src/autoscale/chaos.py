# Kills parts of the service at random while it is used, in dom0: chaos.py SEED SECONDS LEDGER_PORT BALANCER QUEUE KINDS. Prints one JSON object in the end.
#
# Meanwhile one thread asks for a tile ten times a second, one orders posters, each under a key until it is acknowledged, and one hears from workers which jobs they have done.
import json, random, socket, subprocess, sys, threading, time

seed, seconds, ledger_port = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
balancer, queue, kinds = sys.argv[4], sys.argv[5], sys.argv[6].split(",")

# Kills have so long between them, and what is left to do in the end has so long.
PAUSE = (8, 12)
SETTLE = 180
over = threading.Event()
begun = time.monotonic()
acknowledged, ordered, done, probes, orders, kills = [], 0, [], [], [], []


def now():
    return round(time.monotonic() - begun, 3)


def ask(host, request, patience):
    """The status and the content of an answer; None if there is none in time."""
    end = time.monotonic() + patience
    try:
        with socket.create_connection((host, 80), timeout=patience) as stream:
            stream.sendall(request.encode())
            got = b""
            while True:
                stream.settimeout(max(0.01, end - time.monotonic()))
                piece = stream.recv(65536)
                if not piece:
                    break
                got += piece
        head, content = got.split(b"\r\n\r\n", 1)
        return int(head.split(b" ")[1]), content
    except (OSError, ValueError, IndexError):
        return None


def get(host, path, patience):
    return ask(host, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", patience)


def probe():
    """Asks for a tile ten times a second, and notes when that went well."""
    due = time.monotonic()
    while not over.is_set():
        due += 0.1
        threading.Thread(target=probe_once, daemon=True).start()
        time.sleep(max(0, due - time.monotonic()))


def probe_once():
    start = now()
    answer = get(balancer, "/tiles/2/1/1", 5)
    probes.append((start, now(), bool(answer) and answer[0] == 200))


def order():
    """Orders posters, each under its key until it is acknowledged."""
    global ordered
    while not over.is_set():
        ordered += 1
        path = f"/posters?level=3&x={ordered % 8}&y=3&side=32&iterations=200"
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {seed}-{ordered}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        while True:
            start = now()
            answer = ask(balancer, request, 5)
            well = bool(answer) and answer[0] == 202
            orders.append((start, now(), well))
            if well:
                acknowledged.append(json.loads(answer[1])["id"])
                break
            if over.is_set():
                break
            time.sleep(0.2)
        over.wait(0.4)


def hear():
    """Hears from workers which jobs they have done."""
    with socket.create_server(("", ledger_port)) as listener:
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=hear_one, args=(stream,), daemon=True).start()


def hear_one(stream):
    with stream:
        try:
            stream.settimeout(3)
            got = b""
            while b"\r\n\r\n" not in got:
                piece = stream.recv(4096)
                if not piece:
                    return
                got += piece
            head, content = got.split(b"\r\n\r\n", 1)
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            while len(content) < int(fields[b"content-length"]):
                content += stream.recv(4096)
            done.append(json.loads(content))
            stream.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        except (OSError, ValueError, KeyError):
            pass


def domains(prefix):
    told = subprocess.run(["xl", "list"], stdout=subprocess.PIPE, text=True).stdout
    names = [line.split()[0] for line in told.splitlines()[1:]]
    return sorted(name for name in names if name.startswith(prefix))


def kill(kind):
    """Kills one of a kind; its name, or None if there is none."""
    if kind == "toolstack":
        for process in subprocess.run(["pidof", "morgana"], stdout=subprocess.PIPE, text=True).stdout.split():
            subprocess.run(["kill", "-9", process], stderr=subprocess.DEVNULL)
        return "morgana daemon"
    names = domains(kind + "-") if kind in ("web", "worker") else domains(kind)
    names = [name for name in names if "ahead" not in name]
    if not names:
        return None
    name = random.choice(names)
    # As quick as it can be.
    subprocess.run(["morgana", "destroy", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return name


def jobs():
    answer = get(queue, "/stats", 5)
    return json.loads(answer[1]) if answer and answer[0] == 200 else None


def settle():
    """Waits until no job is left; the queue's last figures."""
    end, figures = time.monotonic() + SETTLE, None
    while time.monotonic() < end:
        figures = jobs() or figures
        if figures and figures["ready"] + figures["delayed"] + figures["leased"] == 0:
            break
        time.sleep(0.5)
    return figures


def outage(requests, at, until):
    """For how long no such request was answered well after a kill: of those that were sent until the next kill, from the first one that failed until the first one ended well that had begun after the last one which failed. What it takes to kill is no part of it: meanwhile requests are answered."""
    sent = [one for one in sorted(requests) if at <= one[0] < until]
    failed = [start for start, _, well in sent if not well]
    if not failed:
        return 0.0
    later = [end for start, end, well in sent if well and start > failed[-1]]
    return round((min(later) if later else until) - failed[0], 3)


random.seed(seed)
for role in (probe, order, hear):
    threading.Thread(target=role, daemon=True).start()
time.sleep(5)
first = True
while first or now() < seconds:
    # Each kind once in a round, in an order that the seed determines. The first round is a whole one, however slow the machine is.
    for kind in random.sample(kinds, len(kinds)):
        at = now()
        name = kill(kind)
        if name:
            kills.append({"at": at, "kind": kind, "name": name, "took": round(now() - at, 3)})
        time.sleep(random.uniform(*PAUSE))
        if now() >= seconds and not first:
            break
    first = False
over.set()
figures = settle()
ends = [one["at"] for one in kills[1:]] + [now()]
for one, until in zip(kills, ends):
    one["outage"] = outage(probes, one["at"], until)
    one["orders"] = outage(orders, one["at"], until)
checksums = {}
for report in done:
    checksums.setdefault(report["job"], set()).add(report["checksum"])
print(json.dumps({
    "seed": seed,
    "seconds": now(),
    "kills": kills,
    "probes": len(probes),
    "probes_failed": sum(not well for _, _, well in probes),
    "ordered": ordered,
    "acknowledged": len(acknowledged),
    "distinct": len(set(acknowledged)),
    "lost": sorted(set(acknowledged) - set(checksums)),
    "reports": len(done),
    "jobs_done": len(checksums),
    "differing": [job for job, sums in checksums.items() if len(sums) > 1],
    "queue": figures,
}))
