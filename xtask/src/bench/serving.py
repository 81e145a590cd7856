# Runs a command in dom0 that asks a guest for something, and tells what the guest's processor spent meanwhile.
#   serving.py wait ADDRESS PORT                        until something takes connections there
#   serving.py ask ADDRESS FILE                         asks a name server for what FILE lists: `NAME IPV4` a line, and compares
#   serving.py run NAME COMMAND…                        NAME is the domain's
#   serving.py idle COUNT ADDRESS PORT NAME COMMAND…    as `run`, with COUNT connections that are open and say nothing
# `run` prints what the command prints, and a last line `guest-cpu-ns N`.
import os, socket, struct, sys, time

sys.path.insert(0, "/usr/lib/xen-4.17/lib/python")

LIMIT = 180
# Connections that are being opened at the same time.
OPENING = 64


def wait(address, port):
    end = time.monotonic() + LIMIT
    while True:
        try:
            return socket.create_connection((address, port), timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                sys.exit(f"nobody takes connections at {address}:{port}")
            time.sleep(0.2)


# RFC 1035, section 4: one question of class IN for type A, and the RDATA of its one answer.
def query(number, name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def ask(address, path):
    end = time.monotonic() + LIMIT
    lines = [line.split() for line in open(path)]
    if not lines:
        sys.exit("nothing to ask for")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(1)
        for number, (name, wanted) in enumerate(lines):
            question = query(number, name)
            while True:
                try:
                    sender.sendto(question, (address, 53))
                    answer = sender.recv(4096)
                    if answer[:2] == question[:2]:
                        break
                except OSError:
                    pass
                if time.monotonic() > end:
                    sys.exit(f"no answer about {name}")
            flags, questions, answers = struct.unpack("!3H", answer[2:8])
            record = answer[len(question) :]
            # A pointer to the question's name, A, IN, a time to live, four bytes.
            plain = record[:6] == b"\xc0\x0c\0\1\0\1" and record[10:12] == b"\0\4"
            # QR and AA are set, TC is not, and the code is NOERROR.
            if flags & 0x860F != 0x8400 or (questions, answers) != (1, 1) or not plain:
                sys.exit(f"{name}: a wrong answer {answer.hex()}")
            if record[12:16] != socket.inet_aton(wanted):
                sys.exit(f"{name}: {socket.inet_ntoa(record[12:16])} instead of {wanted}")


class Account:
    def __init__(self, name):
        from xen.lowlevel import xc

        self.hypervisor = xc.xc()
        with os.popen(f"xl domid {name}") as answer:
            self.domain = int(answer.read())

    def nanoseconds(self):
        return self.hypervisor.domain_getinfo(self.domain, 1)[0]["cpu_time"]


def run(name, *command):
    account = Account(name)
    before = account.nanoseconds()
    status = os.spawnvp(os.P_WAIT, command[0], command)
    spent = account.nanoseconds() - before
    if status:
        sys.exit(f"{command[0]} ends with status {status}")
    print("guest-cpu-ns", spent, flush=True)


def open_all(count, address, port):
    end = time.monotonic() + LIMIT
    done, opening = [], []
    while len(done) < count:
        while len(opening) < OPENING and len(done) + len(opening) < count:
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((address, port))
            opening.append(connection)
        time.sleep(0.01)
        left = []
        for connection in opening:
            try:
                connection.getpeername()
                done.append(connection)
            except OSError:
                if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    sys.exit(f"connection {len(done)} is refused")
                left.append(connection)
        opening = left
        if time.monotonic() > end:
            sys.exit(f"only {len(done)} connections are there")
    return done


def idle(count, address, port, *rest):
    connections = open_all(count, address, port)
    run(*rest)
    closed = 0
    for connection in connections:
        try:
            connection.recv(1)
            closed += 1
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    if closed:
        sys.exit(f"{closed} of {count} idle connections were closed")


what, *rest = sys.argv[1:]
if what == "wait":
    wait(rest[0], int(rest[1]))
elif what == "ask":
    ask(*rest)
elif what == "run":
    run(*rest)
else:
    idle(int(rest[0]), rest[1], int(rest[2]), *rest[3:])
