"""One libcurl easy handle, as a long-lived client holds it.

Arguments: USER:PASSWORD. Each line of standard input is a URL; after each transfer one line `STATUS` goes to standard
output. What libcurl sends and receives goes to standard error, as with `curl -v`.
The curl tool takes a new easy handle for each URL, and a handle is what remembers the nonce.
"""

import ctypes
import ctypes.util
import sys

CURLOPT_URL = 10002
CURLOPT_USERPWD = 10005
CURLOPT_WRITEFUNCTION = 20011
CURLOPT_VERBOSE = 41
CURLOPT_HTTPAUTH = 107
CURLAUTH_DIGEST = 2
CURLINFO_RESPONSE_CODE = 0x200002

curl = ctypes.CDLL(ctypes.util.find_library("curl") or "libcurl.so.4")
curl.curl_easy_init.restype = ctypes.c_void_p
handle = ctypes.c_void_p(curl.curl_easy_init())
WRITE = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
discard = WRITE(lambda data, size, count, context: size * count)


def setopt(option, value):
    if curl.curl_easy_setopt(handle, ctypes.c_int(option), value) != 0:
        sys.exit(f"curl_easy_setopt({option}) failed")


setopt(CURLOPT_USERPWD, ctypes.c_char_p(sys.argv[1].encode()))
setopt(CURLOPT_HTTPAUTH, ctypes.c_long(CURLAUTH_DIGEST))
setopt(CURLOPT_VERBOSE, ctypes.c_long(1))
setopt(CURLOPT_WRITEFUNCTION, discard)
for line in sys.stdin:
    setopt(CURLOPT_URL, ctypes.c_char_p(line.strip().encode()))
    code = curl.curl_easy_perform(handle)
    if code != 0:
        sys.exit(f"curl_easy_perform: {code}")
    status = ctypes.c_long()
    curl.curl_easy_getinfo(handle, ctypes.c_int(CURLINFO_RESPONSE_CODE), ctypes.byref(status))
    print(status.value, flush=True)
