# Measures the disk of one domain, in dom0. Prints a line a case: its name, accesses, nanoseconds, nanoseconds of the domain's processor.
#   block.py CONFIG NAME
# The domain writes READY before each case, waits a little, and writes DONE, accesses and nanoseconds after it. It is destroyed in the end.
import os, sys, time

sys.path.insert(0, "/usr/lib/xen-4.17/lib/python")
from xen.lowlevel import xc

LIMIT = 240
config, name = sys.argv[1:3]
log = f"/var/log/xen/console/guest-{name}.log"


def run(command):
    if os.system(f"{command} >/dev/null 2>&1"):
        sys.exit(f"{command} failed")


def lines():
    deadline = time.monotonic() + LIMIT
    while not os.path.exists(log):
        time.sleep(0.1)
    with open(log) as file:
        part = ""
        while time.monotonic() < deadline:
            part += file.readline()
            if part.endswith("\n"):
                yield part
                part = ""
            else:
                time.sleep(0.05)
    sys.exit("the domain does not come to its end:\n" + open(log).read())


if os.path.exists(log):
    os.remove(log)
    # The daemon that writes it opens it anew.
    os.system("kill -HUP $(cat /run/xen/xenconsoled.pid)")
run(f"xl create {config}")
try:
    with os.popen(f"xl domid {name}") as answer:
        domain = int(answer.read())
    hypervisor = xc.xc()
    before = done = None
    for line in lines():
        words = line.split()
        if "READY" in words:
            now = hypervisor.domain_getinfo(domain, 1)[0]["cpu_time"]
            if done:
                print(*done, now - before, flush=True)
            before = now
            if words[-1] == "end":
                break
        elif "DONE" in words:
            done = words[words.index("DONE") + 1 :]
        elif "FAILURE" in words or "panic" in line:
            sys.exit(line)
finally:
    run(f"xl destroy {name}")
