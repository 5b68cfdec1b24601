"""Lets GNU SASL's client answer the challenges below and prints what it says, one JSON object a line."""

import base64
import json
import subprocess

REALM = "elwood.innosoft.com"
CHALLENGES = (
    (b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8', "qop-auth"),
    (b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth,auth-int",algorithm=md5-sess,charset=utf-8', "qop-int"),
)
ACCOUNTS = (("chris", "secret"), ('say "hi"', "p:w"), ("chris", "Stra\u00dfe"))


def main():
    version = subprocess.run(["gsasl", "--version"], capture_output=True, text=True, check=True).stdout.split()[3]
    for challenge, qop in CHALLENGES:
        for username, password in ACCOUNTS:
            command = ["gsasl", "--client", "--mechanism", "DIGEST-MD5", "--quality-of-protection", qop]
            command += ["--authentication-id", username, "--password", password, "--realm", REALM]
            command += ["--service", "imap", "--hostname", REALM]
            given = base64.b64encode(challenge) + b"\n"
            said = subprocess.run(command, input=given, capture_output=True, timeout=20, check=False)
            lines = [line for line in said.stdout.splitlines() if len(line) > 100]
            capture = {"kind": "sasl", "peer": f"GNU SASL {version}", "username": username, "password": password}
            capture |= {"realm": REALM, "challenge": challenge.hex(), "response": base64.b64decode(lines[-1]).hex()}
            print(json.dumps(capture))


if __name__ == "__main__":
    main()
