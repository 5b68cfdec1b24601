"""Arguments: REALM ALGORITHM USER PASSWORD. flask-httpauth's HTTPDigestAuth on 127.0.0.1; the first line printed is the port."""

import logging
import secrets
import sys

from flask import Flask, request
from flask_httpauth import HTTPDigestAuth
from werkzeug.serving import make_server

realm, algorithm, user, password = sys.argv[1:]
app = Flask(__name__)
app.config["SECRET_KEY"] = "signs the cookie that remembers nonces"
logging.getLogger("werkzeug").disabled = True

# Nonces are remembered here: by default they live in a cookie, which a client of Digest need not keep.
auth = HTTPDigestAuth(realm=realm, qop="auth", algorithm=algorithm)
nonces, opaques = set(), set()


@auth.generate_nonce
def generate_nonce():
    nonce = secrets.token_hex()
    nonces.add(nonce)
    return nonce


@auth.verify_nonce
def verify_nonce(nonce):
    return nonce in nonces


@auth.generate_opaque
def generate_opaque():
    opaque = secrets.token_hex()
    opaques.add(opaque)
    return opaque


@auth.verify_opaque
def verify_opaque(opaque):
    return opaque in opaques


@auth.get_password
def get_password(name):
    return password if name == user else None


@app.route("/<path>", methods=["GET", "POST"])
@auth.login_required
def page(path):
    return f"{auth.current_user()}: {request.method} /{path} with {len(request.get_data())} bytes\n"


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
