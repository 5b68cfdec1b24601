"""Arguments: USER PASSWORD URL... One session of Python requests; prints `STATUS BODY` for each URL."""

import sys

import requests
from requests.auth import HTTPDigestAuth

user, password, *urls = sys.argv[1:]
with requests.Session() as session:
    session.auth = HTTPDigestAuth(user, password)
    for url in urls:
        answer = session.get(url, timeout=120)
        print(answer.status_code, answer.text.strip(), flush=True)
