"""Lets Cyrus SASL's sample client answer a challenge and prints what it says, one JSON object a line.

The client asks for the password on a terminal, so it gets one.
"""

import base64
import json
import os
import pty
import re
import select
import subprocess
import time

REALM = "elwood.innosoft.com"
CHALLENGE = (
    b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth,auth-int,auth-conf",'
    b'cipher="rc4,des,rc4-40,rc4-56",algorithm=md5-sess,charset=utf-8'
)
# Account, the least and the most bits of protection, who to act as.
RUNS = (
    ("chris", "secret", (0, 0), ""),
    ("chris", "secret", (0, 0), "admin"),
    ("J\u00e4s\u00f8n", "Stra\u00dfe", (0, 0), ""),
    ('say "hi"', "p:w", (0, 0), ""),
    ("chris", "secret", (1, 1), ""),
    ("chris", "secret", (40, 40), ""),
    ("chris", "secret", (56, 56), ""),
    ("chris", "secret", (128, 128), ""),
)


def _answer(username, password, bits, authzid):
    command = ["sasl-sample-client", "-s", "imap", "-n", REALM, "-a", username, "-u", authzid, "-r", REALM]
    command += ["-m", "DIGEST-MD5", "-b", f"min={bits[0]},max={bits[1]}"]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    said, told, end = b"", 0, time.monotonic() + 10
    steps = (
        (b"mechanism list", b"S: " + base64.b64encode(b"DIGEST-MD5")),
        (b"Waiting for server reply", b"S: " + base64.b64encode(CHALLENGE)),
        (b"Password:", password.encode()),
    )
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break
        if told < len(steps) and steps[told][0] in said:
            os.write(terminal, steps[told][1] + b"\n")
            told += 1
        responses = re.findall(rb"C: ([A-Za-z0-9+/=]{100,})\r", said)
        if responses:
            os.close(terminal)
            os.waitpid(child, 0)
            return base64.b64decode(responses[-1])
    raise SystemExit(f"no response: {said!r}")


def main():
    version = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", "libsasl2-2"], capture_output=True, text=True)
    peer = "Cyrus SASL " + (version.stdout.partition("+")[0] or "unknown")
    for username, password, bits, authzid in RUNS:
        response = _answer(username, password, bits, authzid)
        capture = {"kind": "sasl", "peer": peer, "username": username, "password": password, "realm": REALM}
        print(json.dumps({**capture, "challenge": CHALLENGE.hex(), "response": response.hex()}))


if __name__ == "__main__":
    main()
