"""Arguments: USER PASSWORD URL... One opener of urllib.request; prints `STATUS BODY` for each URL."""

import sys
import urllib.error
import urllib.request

user, password, *urls = sys.argv[1:]
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
for url in urls:
    passwords.add_password(None, url, user, password)
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPDigestAuthHandler(passwords)
)
for url in urls:
    try:
        with opener.open(url, timeout=120) as answer:
            print(answer.status, answer.read().decode().strip(), flush=True)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode().strip(), flush=True)
