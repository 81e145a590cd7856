# Bad clients of a web server, in dom0. Prints a line for each kind; fails if the server does not answer others meanwhile, or keeps what it
# should let go.
#   clients.py ADDRESS
import select, socket, sys, time

ADDRESS = sys.argv[1]
PATIENCE = 60  # seconds for what a server does in 10 to 30: it is emulated
IDLE, BEYOND = 1000, 200
TOGETHER = 25  # connections that are made at once: fewer than a listener takes
SLOW = 20  # clients of each kind


def connect(timeout=PATIENCE):
    connection = socket.create_connection((ADDRESS, 80), timeout=timeout)
    connection.settimeout(timeout)
    return connection


def get(path="/"):
    # A SYN may be lost where many connections come at once.
    for _ in range(5):
        try:
            with connect() as connection:
                request = f"GET {path} HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                answer = b""
                while more := connection.recv(65536):
                    answer += more
                if answer.startswith(b"HTTP/1.1 200 "):
                    return answer
        except OSError:
            pass
        time.sleep(1)
    sys.exit(f"GET {path} is not answered")


def metric(name):
    lines = get("/metrics").decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def ending(connection):
    """How the server ends a connection: its last words, or a reset."""
    said = b""
    try:
        while more := connection.recv(65536):
            said += more
    except ConnectionError:
        return said or b"reset"
    return said or b"closed"


class Slow:
    """Clients that begin a request and never finish it, a byte at a time."""

    def __init__(self, start, piece):
        self.piece = piece
        self.all = [connect() for _ in range(SLOW)]
        for connection in self.all:
            connection.sendall(start)
        self.alive = set(self.all)

    def go_on(self):
        for connection in list(self.alive):
            try:
                connection.sendall(self.piece)
            except OSError:
                self.alive.discard(connection)

    def end(self):
        answers = {}
        for connection in self.all:
            first = ending(connection).split(b"\r\n", 1)[0]
            answers[first] = answers.get(first, 0) + 1
            connection.close()
        return answers


def slowly(*kinds):
    """Kinds of slow clients at once, beside which others are served."""
    end = time.monotonic() + 12
    while time.monotonic() < end:
        for kind in kinds:
            kind.go_on()
        get()
        time.sleep(0.5)
    return [kind.end() for kind in kinds]


def several(number, patience):
    """Connects so many at once; returns those that are there in time."""
    poll, waiting, held = select.poll(), {}, []
    for _ in range(number):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((ADDRESS, 80))
        waiting[connection.fileno()] = connection
        poll.register(connection, select.POLLOUT)
    end = time.monotonic() + patience
    while waiting and (left := end - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            poll.unregister(number)
            connection = waiting.pop(number)
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                held.append(connection)
            else:
                connection.close()
    for connection in waiting.values():
        connection.close()
    return held


def idle():
    """Many connections on which nothing is said: others are served; beyond the limit they are refused, and nothing more."""
    held = []
    for _ in range(IDLE // TOGETHER):
        held += several(TOGETHER, PATIENCE)
    get()
    open_now = metric("morgana_http_connections_open ")
    held += several(BEYOND, 2)
    for connection in held:
        connection.close()
    return len(held), IDLE + BEYOND - len(held), open_now


heads, bodies = slowly(
    Slow(b"GET / HTTP/1.1\r\nHost: guest\r\nX-Slow: ", b"x"),
    Slow(b"GET / HTTP/1.1\r\nHost: guest\r\nContent-Length: 60000\r\n\r\n", b"x"),
)
print("slow heads:", heads)
print("slow bodies:", bodies)
print("timeouts counted:", metric("morgana_http_timeouts_total "))
connected, refused, open_now = idle()
print(f"idle: {connected} connected, {refused} refused, {open_now:.0f} open at once")
if open_now < IDLE * 0.9:
    sys.exit("the server did not keep the idle connections")
get()
print("served after all")
