# Bad clients of a web server, in dom0. Prints a line for each kind; fails if the server does not answer others meanwhile, or keeps what it
# should let go.
#   clients.py ADDRESS
import socket, sys, time

ADDRESS = sys.argv[1]
PATIENCE = 60  # seconds for what a server does in 10 to 30: it is emulated
IDLE, BEYOND = 1000, 200
SLOW = 20


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


def slowly(start, piece):
    """Clients that begin a request and never finish it, a byte at a time."""
    slow = [connect() for _ in range(SLOW)]
    for connection in slow:
        connection.sendall(start)
    end = time.monotonic() + 12
    alive = set(slow)
    while time.monotonic() < end:
        for connection in list(alive):
            try:
                connection.sendall(piece)
            except OSError:
                alive.discard(connection)
        get()
        time.sleep(0.5)
    answers = {}
    for connection in slow:
        first = ending(connection).split(b"\r\n", 1)[0]
        answers[first] = answers.get(first, 0) + 1
        connection.close()
    return answers


def idle():
    """Many connections on which nothing is said: others are served; beyond the limit they are refused, and nothing more."""
    held, refused = [], 0
    for number in range(IDLE + BEYOND):
        try:
            held.append(connect(2 if number >= IDLE else PATIENCE))
        except OSError:
            refused += 1
        if number + 1 == IDLE:
            get()
            open_now = metric("morgana_http_connections_open ")
    for connection in held:
        connection.close()
    return len(held), refused, open_now


print("slow heads:", slowly(b"GET / HTTP/1.1\r\nHost: guest\r\nX-Slow: ", b"x"))
print("slow bodies:", slowly(b"GET / HTTP/1.1\r\nHost: guest\r\nContent-Length: 60000\r\n\r\n", b"x"))
print("timeouts counted:", metric("morgana_http_timeouts_total "))
connected, refused, open_now = idle()
print(f"idle: {connected} connected, {refused} refused, {open_now:.0f} open at once")
if open_now < IDLE * 0.9:
    sys.exit("the server did not keep the idle connections")
get()
print("served after all")
