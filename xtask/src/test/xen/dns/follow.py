#!/usr/bin/python3
# Asks for a zone's serial number again and again, by UDP and over one TCP connection in turn, until the number has changed; then a while on. No query is repeated:
# each must be answered, and after the first answer with the new number there must be none with the old one.
#   follow.py ADDRESS ZONE OLD NEW
import socket, struct, sys, time

ADDRESS, ZONE, OLD, NEW = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PATIENCE = 30  # seconds for an answer: the server is emulated
BEFORE, AFTER = 20, 100  # queries before we say that we are at work, and after the change
PAUSE = 0.003  # seconds, in which whoever replaces the zone has its turn
MOST = 1_000_000

question = b"".join(bytes([len(label)]) + label.encode() for label in ZONE.split(".")) + b"\0"
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(PATIENCE)
udp.connect((ADDRESS, 53))
tcp = socket.create_connection((ADDRESS, 53), timeout=PATIENCE)


def exactly(count):
    data = b""
    while len(data) < count:
        more = tcp.recv(count - len(data))
        if not more:
            sys.exit("the connection was closed")
        data += more
    return data


def ask(number):
    """The serial number in the answer to the query with this number."""
    query = struct.pack(">6H", number & 0xFFFF, 0, 1, 0, 0, 0) + question + struct.pack(">2H", 6, 1)
    try:
        if number % 2:
            udp.send(query)
            answer = udp.recv(4096)
        else:
            tcp.sendall(struct.pack(">H", len(query)) + query)
            answer = exactly(struct.unpack(">H", exactly(2))[0])
    except TimeoutError:
        sys.exit(f"query {number} is lost")
    identity, flags, _, answers, _, _ = struct.unpack(">6H", answer[:12])
    # QR and AA, NOERROR, one answer.
    if identity != number & 0xFFFF or flags & 0x840F != 0x8400 or answers != 1:
        sys.exit(f"query {number} is answered with {answer!r}")
    at = len(query)
    # The owner is a pointer (2), then type, class, TTL, length (10), then the name of the server and of the mailbox, each at least one octet.
    end = at + 12 + struct.unpack(">H", answer[at + 10 : at + 12])[0]
    return struct.unpack(">I", answer[end - 20 : end - 16])[0]


counts = {OLD: 0, NEW: 0}
for number in range(MOST):
    serial = ask(number)
    if serial not in counts or (serial == OLD and counts[NEW]):
        sys.exit(f"query {number} is answered from serial {serial} after {counts}")
    counts[serial] += 1
    if number == BEFORE:
        print("following", flush=True)
    if counts[NEW] == AFTER:
        print(f"nothing lost: {counts[OLD]} old, {counts[NEW]} new", flush=True)
        break
    time.sleep(PAUSE)
else:
    sys.exit(f"the serial number does not change: {counts}")
