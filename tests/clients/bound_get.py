"""GET with extended protection (draft-santesson-digestbind-01, RFC 5929), by the standard library alone.

usage: bound_get.py URL CA_FILE USER PASSWORD HASH BINDING SERVICE

HASH is the hash function of the certificate's signature. BINDING: right, wrong, zeros, inconsistent or missing;
changed is right at first, then wrong.
Prints whether the nonce is upgraded, then `STATUS body` of two requests that answer one challenge; the second counts on.
"""
import hashlib
import http.client
import os
import re
import ssl
import struct
import sys
from urllib.parse import urlsplit


def md5(*parts):
    return hashlib.md5(":".join(parts).encode("latin-1")).hexdigest()


def channel_binding(certificate, name):
    data = b"tls-server-end-point:" + hashlib.new(name, certificate).digest()
    return hashlib.md5(struct.pack("<5I", 0, 0, 0, 0, len(data)) + data).hexdigest()


class Connection:
    def __init__(self, url, trust):
        self.parts = urlsplit(url)
        if self.parts.scheme == "https":
            self.http = http.client.HTTPSConnection(self.parts.netloc, context=trust, timeout=120)
        else:
            self.http = http.client.HTTPConnection(self.parts.netloc, timeout=120)
        self.http.connect()

    def certificate(self):
        return self.http.sock.getpeercert(binary_form=True) if self.parts.scheme == "https" else b""

    def get(self, authorization):
        headers = {"Authorization": authorization} if authorization else {}
        self.http.request("GET", self.parts.path, headers=headers)
        response = self.http.getresponse()
        return response, response.read().decode().strip()


def main(url, ca_file, user, password, hash_name, binding, service):
    trust = ssl.create_default_context(cafile=ca_file) if ca_file else None
    response, _ = Connection(url, trust).get(None)
    challenge = dict(re.findall(r'(\w+)="([^"]*)"', response.getheader("WWW-Authenticate")))
    print("upgraded" if challenge["nonce"].startswith("+Upgraded+v1") else "plain")
    entropy = os.urandom(16).hex()
    for count in 1, 2:
        connection = Connection(url, trust)
        digits = {
            "right": lambda: channel_binding(connection.certificate(), hash_name),
            "changed": lambda: channel_binding(connection.certificate() if count == 1 else b"another", hash_name),
            "inconsistent": lambda: channel_binding(connection.certificate(), hash_name),
            "wrong": lambda: channel_binding(b"another certificate", hash_name),
            "zeros": lambda: "0" * 32,
            "missing": lambda: "",
        }[binding]()
        covered = md5(service if binding != "inconsistent" else service + "x", digits)
        cnonce = entropy if binding == "missing" else "+Upgraded+v1" + covered + entropy
        nc = f"{count:08x}"
        path = connection.parts.path
        a1 = md5(user, challenge["realm"], password)
        digest = md5(a1, challenge["nonce"], nc, cnonce, "auth", md5("GET", path))
        authorization = (
            f'Digest username="{user}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}", uri="{path}", '
            f'qop=auth, nc={nc}, cnonce="{cnonce}", response="{digest}", opaque="{challenge["opaque"]}"'
        )
        if binding != "missing":
            authorization += (
                f', hashed-dirs="service-name,channel-binding", service-name="{service}", channel-binding="{digits}"'
            )
        response, body = connection.get(authorization)
        print(response.status, body)


if __name__ == "__main__":
    main(*sys.argv[1:])
