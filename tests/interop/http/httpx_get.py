"""Arguments: USER PASSWORD URL... One httpx client; prints `STATUS BODY` for each URL."""

import sys

import httpx

user, password, *urls = sys.argv[1:]
with httpx.Client(auth=httpx.DigestAuth(user, password), timeout=120, trust_env=False) as client:
    for url in urls:
        answer = client.get(url)
        print(answer.status_code, answer.text.strip(), flush=True)
