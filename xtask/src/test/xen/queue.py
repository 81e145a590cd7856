# A producer and a worker of a queue, in dom0.
#   queue.py ADDRESS produce    puts 200 jobs in, finishes 50 of them, says "enough", and puts more in until the queue is gone
#   queue.py ADDRESS check      takes all jobs that there are, and compares
import re, socket, sys

ADDRESS = sys.argv[1]
JOBS, DONE = 200, 50
# Numbers of jobs, as they were answered, with their payloads.
ENQUEUED, FINISHED = "/queue.enqueued", "/queue.finished"


class Queue:
    def __init__(self):
        self.connection = socket.create_connection((ADDRESS, 80), timeout=20)
        self.rest = b""

    def ask(self, method, target, content=b""):
        head = f"{method} {target} HTTP/1.1\r\nHost: queue\r\nContent-Length: {len(content)}\r\n\r\n"
        self.connection.sendall(head.encode() + content)
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        length = int(fields.get("Content-Length", 0))
        while len(self.rest) < length:
            self.more()
        content, self.rest = self.rest[:length], self.rest[length:]
        return int(head.split(b" ")[1]), fields, content.decode()

    def more(self):
        bytes = self.connection.recv(65536)
        if not bytes:
            raise ConnectionError("closed")
        self.rest += bytes

    def enqueue(self, payload):
        code, _, text = self.ask("POST", "/jobs", payload.encode())
        assert code == 201, (code, text)
        return re.fullmatch(r'\{"id":(\d+)\}', text)[1]

    def lease(self):
        code, fields, payload = self.ask("POST", "/leases?ms=600000")
        if code == 204:
            return None
        assert code == 200, (code, payload)
        return fields["Job-Id"], fields["Job-Token"], payload

    def acknowledge(self, id, token):
        code, _, text = self.ask("POST", f"/jobs/{id}/acknowledge?token={token}")
        assert code == 204, (code, text)


def produce():
    queue = Queue()
    with open(ENQUEUED, "w") as enqueued, open(FINISHED, "w") as finished:

        def put(number):
            payload = f"job {number}"
            print(queue.enqueue(payload), payload, file=enqueued, flush=True)

        for number in range(JOBS):
            put(number)
        for _ in range(DONE):
            id, token, payload = queue.lease()
            queue.acknowledge(id, token)
            print(id, payload, file=finished, flush=True)
        print("enough", flush=True)
        while True:
            number += 1
            try:
                put(number)
            except OSError as error:
                print(f"gone after {number} jobs: {error}")
                return


def check():
    def lines(name):
        with open(name) as file:
            return dict(line.rstrip("\n").split(" ", 1) for line in file)

    enqueued, finished = lines(ENQUEUED), lines(FINISHED)
    queue, found = Queue(), {}
    while job := queue.lease():
        id, _, payload = job
        assert id not in found, f"job {id} came twice"
        found[id] = payload
    back = finished.keys() & found.keys()
    assert not back, f"finished jobs came back: {back}"
    expected = {id: payload for id, payload in enqueued.items() if id not in finished}
    lost = {id for id, payload in expected.items() if found.get(id) != payload}
    assert not lost, f"jobs are lost: {lost}"
    # One whose answer did not come may be there.
    more = found.keys() - expected.keys()
    assert len(more) <= 1, f"jobs that nobody put in: {more}"
    assert len(finished) == DONE and len(enqueued) > JOBS, (len(finished), len(enqueued))
    print(f"all there: {len(enqueued)} put in, {len(finished)} done, {len(found)} left")


produce() if sys.argv[2] == "produce" else check()
