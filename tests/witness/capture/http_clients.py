"""Lets HTTP clients authenticate to a socket on the loopback and prints their headers, one JSON object a line.

The server only challenges and listens: it sends one fixed challenge, takes what comes back, and judges nothing.
"""

import http.server
import json
import subprocess
import threading
import urllib.request

import requests
from requests.auth import HTTPDigestAuth

NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
TAIL = f'nonce="{NONCE}", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
CHALLENGES = (
    ("md5", f'Digest realm="testrealm@host.com", qop="auth", {TAIL}'),
    ("md5-named", f'Digest realm="testrealm@host.com", qop="auth", {TAIL}, algorithm=MD5'),
    ("md5-sess", f'Digest realm="testrealm@host.com", qop="auth", {TAIL}, algorithm=MD5-sess'),
    ("both-qops", f'Digest realm="testrealm@host.com", qop="auth,auth-int", {TAIL}'),
    ("no-qop", f'Digest realm="testrealm@host.com", {TAIL}'),
    ("quoted-realm", f'Digest realm="a \\"quoted\\" realm, with comma", qop="auth", {TAIL}'),
)
ACCOUNTS = (("Mufasa", "Circle Of Life"), ("DOMAIN\\user", 'p"a\\ss:word'))
PATHS = ("/dir/index.html", "/a,b?c=d,e&f=%22")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    challenge = ""
    headers_seen = []

    def do_GET(self):
        header = self.headers.get("Authorization")
        if header is not None:
            Handler.headers_seen.append((self.command, header))
        self.send_response(200 if header else 401)
        if header is None:
            self.send_header("WWW-Authenticate", Handler.challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


def curl(url, username, password):
    subprocess.run(
        ["curl", "--silent", "--digest", "--user", f"{username}:{password}", url], check=True, capture_output=True
    )


def python_requests(url, username, password):
    session = requests.Session()
    session.auth = HTTPDigestAuth(username, password)
    for _ in range(2):
        session.get(url)


def python_urllib(url, username, password):
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, username, password)
    urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords)).open(url).close()


def main():
    curl_version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    peers = (
        (f"curl {curl_version}", curl),
        (f"Python requests {requests.__version__}", python_requests),
        ("Python urllib", python_urllib),
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for peer, client in peers:
        for name, Handler.challenge in CHALLENGES:
            for username, password in ACCOUNTS:
                for path in PATHS:
                    Handler.headers_seen.clear()
                    try:
                        client(f"http://127.0.0.1:{server.server_port}{path}", username, password)
                    except ValueError:
                        continue  # urllib knows no MD5-sess and not every list of qops
                    for method, header in Handler.headers_seen:
                        capture = {"kind": "http", "peer": peer, "challenge": name, "username": username}
                        capture |= {"password": password, "method": method, "header": header}
                        print(json.dumps(capture))
    server.shutdown()


if __name__ == "__main__":
    main()
