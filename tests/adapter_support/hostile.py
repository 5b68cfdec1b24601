"""An adapter that does what none should, as soon as a context is to be deleted: hostile.py PROGRAM MODE PIDS.

Until then it relays to PROGRAM, an adapter that is right. It appends to the file PIDS who it is, and who that is.
"""

import json
import os
import signal
import subprocess
import sys
import time

program, mode, pids = sys.argv[1:]
right = subprocess.Popen([program, "adapter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
with open(pids, "a") as file:
    file.write(f"{os.getpid()}\n{right.pid}\n")


def write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def relayed(line: bytes) -> bytes:
    right.stdin.write(line)
    right.stdin.flush()
    return right.stdout.readline()


def misbehave(line: bytes) -> None:
    answer = json.loads(relayed(line))
    outcome = answer["outcome"]
    if mode == "hangs":
        while True:
            time.sleep(3600)
    if mode == "dies":
        write(b'{"outcome": {"sta')
        sys.exit(3)
    if mode == "segfaults":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "closes":
        os.close(1)
        while True:
            time.sleep(3600)
    if mode == "babbles":
        write(b"Segmentation fault (core dumped)\n")
    if mode == "invents a handle":
        outcome["handle"] = ["0x1", "0x1"]
        write(json.dumps(answer).encode() + b"\n")
    if mode == "answers something else":
        write(b'{"done": {}}\n')
    if mode == "answers a gigabyte":
        write(b'{"outcome": {"status": "')
        try:
            for _ in range(1 << 10):
                write(b"x" * (1 << 20))
        except BrokenPipeError:
            os._exit(0)
    if mode == "answers twice":
        write(2 * (json.dumps(answer).encode() + b"\n"))
    if mode == "cannot":
        write(b'{"error": {"message": "contexts are not deleted here"}}\n')
    if mode == "was caught":
        write(b'{"crashed": {"message": "wrote behind its buffer"}}\n')


for request in sys.stdin.buffer:
    message = json.loads(request)
    if mode == "speaks another version" and "start" in message:
        write(b'{"started": {"protocol": 2, "name": "hostile", "capabilities": []}}\n')
    elif mode == "has no answer" and "start" in message:
        write(b"Usage: hostile.py\n")
    elif mode == "loses descriptors" and "CompleteAuthToken" in message.get("call", ()):
        write(b'{"outcome": {"status": "SEC_E_INVALID_HANDLE"}}\n')
    elif mode == "cuts memory" and "CompleteAuthToken" in message.get("call", ()):
        answer = json.loads(relayed(request))
        answer["outcome"]["output"]["buffers"][0]["data"] = "00"
        write(json.dumps(answer).encode() + b"\n")
    elif mode == "refuses calls" and "call" in message:
        write(b'{"error": {"message": "not written yet"}}\n')
    elif "DeleteSecurityContext" in message.get("call", ()):
        misbehave(request)
    else:
        write(relayed(request))
