"""The vectors of SASL DIGEST-MD5: keys, proofs, tokens."""

from .hashes import h, user_hash
from .messages import MAXIMUM_CHALLENGE
from .sasl_hashes import sasl_response, sasl_session_key, sasl_user_hash
from .sasl_messages import SASL_RESPONSE_REQUIRED
from .vector_operations import INVALID_TOKEN, LOGON_DENIED, MESSAGE_ALTERED, octets, sasl_response_of, sasl_rspauth_of
from .vector_writing import Book, digits, interop, published, text_or_hex
from .vectors_http import written

_CHRIS = {"username": "chris", "realm": "elwood.innosoft.com", "password": "secret"}
_IMAP = {
    **_CHRIS,
    "nonce": "OA6MG9tEQGm2hh",
    "nc": "00000001",
    "cnonce": "OA6MHXh6VqTrRk",
    "qop": "auth",
    "digest_uri": "imap/elwood.innosoft.com",
    "authzid": None,
}
_ACAP = {**_IMAP, "nonce": "OA9BSXrbuRhWay", "cnonce": "OA9BSuZWMSpW8m", "digest_uri": "acap/elwood.innosoft.com"}
_ACCOUNTS = (
    ("ascii", "chris", "elwood.innosoft.com", "secret", None, "Ordinary"),
    ("no-realm", "chris", "", "secret", None, "EmptyValue"),
    ("latin-1-username", "J\u00e4s\u00f8n Doe", "realm", "secret", None, "Charset"),
    ("latin-1-password", "chris", "realm", "Stra\u00dfe", None, "Charset"),
    ("latin-1-realm", "chris", "S\u00fcd", "secret", None, "Charset"),
    ("cyrillic-username", "\u0416\u0438\u0432\u0430\u0433\u043e", "realm", "Stra\u00dfe", None, "Charset"),
    ("euro-password", "J\u00e4s\u00f8n", "realm", "\u20ac100", None, "Charset"),
    ("authzid", "chris", "realm", "secret", "admin", "Authzid"),
    ("latin-1-authzid", "chris", "realm", "secret", "J\u00e4s\u00f8n", "Authzid"),
    ("cyrillic-authzid", "J\u00e4s\u00f8n", "realm", "secret", "\u0416\u0438\u0432\u0430\u0433\u043e", "Authzid Charset"),
    ("empty-password", "chris", "realm", "", None, "EmptyValue"),
)


def _exchange(name, **changes):
    return {**_IMAP, "nonce": digits(name + "/nonce"), "cnonce": digits(name + "/cnonce"), **changes}


def _with_response(given):
    return {**given, "response": sasl_response_of({**given, "response": ""})["response"]}


def _session_keys():
    book = Book("sasl-session-key", "H(A1) of an account, the root of every key of SASL DIGEST-MD5: 16 octets in hexadecimal.")
    book.group("RFC 2831 section 2.1.2.1.")
    for account, username, realm, password, authzid, flags in _ACCOUNTS:
        given = {"username": username, "realm": realm, "password": password, "authzid": authzid}
        given |= {"nonce": digits(account + "/nonce"), "cnonce": digits(account + "/cnonce")}
        book.add(account, account, flags, given)
    return book


def _responses(captured):
    book = Book(
        "sasl-response",
        "The response-value. `expected.response` is what a client computes; `input.response` is what was sent, right if the"
        " status is SEC_E_OK.",
    )
    book.group("Printed in the document.")
    for name, given, response in (
        ("rfc-2831-imap", _IMAP, "d388dad90d4bbd760a152321f2143af7"),
        ("rfc-2831-acap", _ACAP, "6084c6db3fede7352c551284490fd0fc"),
    ):
        given = {**given, "response": response}
        book.add(name, "The example.", "Published", given, source=published("RFC 2831", "4"))
    book.group("Every quality of protection, and values hashed as they were sent.")
    for name, comment, flags, changes in (
        ("auth", "qop auth", "Ordinary", {}),
        ("auth-int", "qop auth-int", "ZerosInA2", {"qop": "auth-int"}),
        ("auth-conf", "qop auth-conf", "ZerosInA2", {"qop": "auth-conf"}),
        ("auth-conf-in-capitals", "hashed as AUTH-CONF, and still with zeros", "CaseOfQop ZerosInA2", {"qop": "AUTH-CONF"}),
        ("second-count", "a subsequent authentication", "Ordinary", {"nc": "00000002"}),
        ("count-in-capitals", "nc has a digit in upper case", "CaseOfDigits", {"nc": "0000000A"}),
        ("serv-name", "a replicated service", "Ordinary", {"digest_uri": "smtp/mail3.example.com/example.com"}),
        ("empty-cnonce", "cnonce is empty", "EmptyValue", {"cnonce": ""}),
    ):
        book.add(name, comment, flags, _with_response(_exchange(name, **changes)))
    upper = _with_response(_exchange("digits-in-capitals"))
    upper["response"] = upper["response"].upper()
    book.add("digits-in-capitals", "the response in upper case is the same number", "CaseOfDigits", upper)
    book.group("Accounts beyond US-ASCII, realms and authzids.")
    for account, username, realm, password, authzid, flags in _ACCOUNTS[1:]:
        given = _exchange(f"account/{account}", username=username, realm=realm, password=password, authzid=authzid)
        book.add(f"account/{account}", account, flags, _with_response(given))
    book.group("Wrong ones.")
    right = _with_response(_IMAP)
    for at in (0, 31):
        digit = "0" if right["response"][at] != "0" else "1"
        sent = {**right, "response": right["response"][:at] + digit + right["response"][at + 1 :]}
        book.add(f"wrong-digit-{at}", f"digit {at} is another one", "WrongValue", sent, LOGON_DENIED)
    for name, value in (
        ("username", "Chris"), ("realm", ""), ("password", "Secret"), ("nonce", "OA6MG9tEQGm2hH"), ("nc", "00000002"),
        ("cnonce", "OA6MHXh6VqTrRK"), ("qop", "Auth"), ("digest_uri", "imap/elwood.innosoft.com/"), ("authzid", "chris"),
    ):  # fmt: skip
        comment = f"made for another {name}"
        book.add(f"another-{name.replace('_', '-')}", comment, "WrongValue", {**right, name: value}, LOGON_DENIED)

    def otherwise(name, comment, flags, given, key=None, hashed=()):
        """A response made with another key, or of other values."""
        made_of = {**given, **dict(hashed)}
        values = [octets(made_of[value]) for value in ("nonce", "nc", "cnonce", "qop", "digest_uri")]
        if key is None:
            user = sasl_user_hash(*(made_of[value] for value in _CHRIS))
            key = sasl_session_key(user, values[0], values[2], octets(made_of["authzid"]))
        book.add(name, comment, flags, {**given, "response": sasl_response(key, *values).decode()}, LOGON_DENIED)

    given = _exchange("hex-user-hash")
    user = user_hash(*(given[value] for value in _CHRIS))
    key = bytes.fromhex(h(user, octets(given["nonce"]), octets(given["cnonce"])).decode())
    otherwise("hex-user-hash", "A1 as HTTP's MD5-sess has it", "HexUserHash", given, key)
    given = _exchange("no-zeros", qop="auth-conf")
    key = bytes.fromhex(sasl_response_of({**given, "response": ""})["session_key"])
    values = [octets(given[value]) for value in ("nonce", "nc", "cnonce")]
    short = h(key.hex().encode(), *values, b"auth-conf", h(b"AUTHENTICATE", octets(given["digest_uri"]))).decode()
    book.add("no-zeros", "auth-conf, and A2 as for auth", "ZerosInA2", {**given, "response": short}, LOGON_DENIED)
    given = _exchange("no-authzid", authzid="admin")
    otherwise("no-authzid", "A1 without the authzid", "NoAuthzid", given, hashed=[("authzid", None)])
    given = _exchange("latin-1-authzid-hashed", authzid="J\u00e4s\u00f8n")
    key = sasl_session_key(sasl_user_hash(*(given[value] for value in _CHRIS)), octets(given["nonce"]),
                           octets(given["cnonce"]), "J\u00e4s\u00f8n".encode("iso-8859-1"))  # fmt: skip
    otherwise("latin-1-authzid-hashed", "A1 with the authzid in ISO 8859-1", "Authzid", given, key)
    given = _exchange("utf-8-form", username="J\u00e4s\u00f8n")
    user = sasl_user_hash(*(given[value] for value in _CHRIS), form=lambda text: text.encode("utf-8"))
    key = sasl_session_key(user, octets(given["nonce"]), octets(given["cnonce"]))
    otherwise("utf-8-form", "hashed in UTF-8 where ISO 8859-1 would do", "Utf8Form", given, key)
    book.group("Written by other programs.")
    for capture in captured:
        response = capture["response"]
        if response is None:
            continue
        given = {name: capture[name] for name in _CHRIS}
        for name, directive in (("nonce", "nonce"), ("nc", "nc"), ("cnonce", "cnonce"), ("digest_uri", "digest-uri")):
            given[name] = text_or_hex(response.get(directive))
        given |= {"qop": response.qop_text.decode("ascii"), "authzid": response.authzid and response.authzid.decode("utf-8")}
        given["response"] = response.get("response").decode("ascii")
        flags = _captured_flags(capture)
        book.add(capture["name"], capture["peer"], flags, given, source=interop(capture["peer"]))
    return book


def _captured_flags(capture):
    flags = "Captured" + capture["charset_flag"]
    flags += " ZerosInA2" if capture["response"].qop != "auth" else ""
    return flags + (" Authzid" if capture["response"].authzid else "")


def _rspauths(captured):
    book = Book("sasl-rspauth", "The server's proof, as the client checks it: the response-value with an empty method in A2.")
    book.group("Printed in the document.")
    for name, given, proof in (
        ("rfc-2831-imap", _IMAP, "ea40f60335c427b5527b84dbabcdfffd"),
        ("rfc-2831-acap", _ACAP, "2f0b3d7c3c2e486600ef710726aa2eae"),
    ):
        book.add(name, "The example.", "Published", {**given, "rspauth": proof}, source=published("RFC 2831", "4"))
    book.group("RFC 2831 section 2.1.3.")
    for name, flags, changes in (
        ("auth-int", "ZerosInA2", {"qop": "auth-int"}),
        ("auth-conf", "ZerosInA2", {"qop": "auth-conf"}),
        ("authzid", "Authzid", {"authzid": "admin"}),
        ("second-count", "Ordinary", {"nc": "00000002"}),
        ("latin-1", "Charset", {"username": "J\u00e4s\u00f8n", "password": "\u20ac"}),
    ):
        given = _exchange(name, **changes)
        proof = sasl_rspauth_of({**given, "rspauth": ""})["rspauth"]
        book.add(name, name, flags, {**given, "rspauth": proof})
    right = {**_IMAP, "rspauth": "ea40f60335c427b5527b84dbabcdfffd"}
    upper = {**right, "rspauth": right["rspauth"].upper()}
    book.add("digits-in-capitals", "the same number", "CaseOfDigits", upper)
    book.group("Wrong ones.")
    reflected = {**right, "rspauth": _with_response(_IMAP)["response"]}
    book.add("reflected", "the client's own response", "ReflectedProof", reflected, MESSAGE_ALTERED)
    other = {**right, "rspauth": "2f0b3d7c3c2e486600ef710726aa2eae"}
    book.add("another-exchange", "the proof of another exchange", "WrongValue", other, MESSAGE_ALTERED)
    for name, value in (("nc", "00000002"), ("password", "Secret"), ("qop", "auth-int"), ("authzid", "chris")):
        book.add(f"another-{name}", f"made for another {name}", "WrongValue", {**right, name: value}, MESSAGE_ALTERED)
    book.group("Written by other programs.")
    for capture in captured:
        response = capture["response"]
        if response is None or "rspauth" not in capture:
            continue
        given = {name: capture[name] for name in _CHRIS}
        for name, directive in (("nonce", "nonce"), ("nc", "nc"), ("cnonce", "cnonce"), ("digest_uri", "digest-uri")):
            given[name] = text_or_hex(response.get(directive))
        given |= {"qop": response.qop_text.decode("ascii"), "authzid": response.authzid and response.authzid.decode("utf-8")}
        given["rspauth"] = bytes.fromhex(capture["rspauth"]).decode("ascii").removeprefix("rspauth=")
        flags = _captured_flags(capture)
        book.add(capture["name"], capture["peer"], flags, given, source=interop(capture["peer"]))
    return book


# Tokens

_WHOLE = {
    "charset": "utf-8",
    "username": '"chris"',
    "realm": '"elwood.innosoft.com"',
    "nonce": '"OA6MG9tEQGm2hh"',
    "nc": "00000001",
    "cnonce": '"OA6MHXh6VqTrRk"',
    "digest-uri": '"imap/elwood.innosoft.com"',
    "response": "d388dad90d4bbd760a152321f2143af7",
    "qop": "auth",
}


def _token(book, name, comment, flags, token, **more):
    book.add(name, comment, flags, {"token": text_or_hex(token) if isinstance(token, bytes) else token}, **more)


def _response_tokens(captured):
    book = Book("sasl-response-token", "A digest-response as a server reads it. Positions are offsets of octets.")

    def good(name, comment, flags, token, **more):
        _token(book, name, comment, flags, token, **more)

    def bad(name, comment, flags, token):
        good(name, comment, flags, token, status=INVALID_TOKEN)

    book.group("Good ones.")
    source = published("RFC 2831", "4")
    good("rfc-2831-imap", "The example.", "Published", written(_WHOLE).replace(", ", ","), source=source)
    whole = written(_WHOLE)
    for name, comment, flags, token in (
        ("every-directive", "all that is known", "Ordinary",
         written(_WHOLE, qop="auth-conf", cipher='"rc4"', maxbuf="65536", authzid='"admin"')),
        ("no-realm", "realm is empty when missing", "EmptyValue", written(_WHOLE, realm=None)),
        ("no-qop", "qop is auth when missing", "Ordinary", written(_WHOLE, qop=None)),
        ("qop-in-capitals", "kept as sent", "CaseOfQop", written(_WHOLE, qop="AUTH-int")),
        ("cipher-in-capitals", "a cipher ignores case", "Ordinary", written(_WHOLE, qop="auth-conf", cipher="3DES")),
        ("cipher-without-use", "a cipher under auth is no matter", "UnknownDirective", written(_WHOLE, cipher="des")),
        ("maxbuf-least", "17", "Maxbuf", written(_WHOLE, maxbuf="17")),
        ("maxbuf-most", "16777215", "Maxbuf", written(_WHOLE, maxbuf="16777215")),
        ("maxbuf-zeros", "leading zeros", "Maxbuf", written(_WHOLE, maxbuf="0" * 20 + "1024")),
        ("serv-name", "a digest-uri of three parts", "Ordinary",
         written(_WHOLE, digest_uri='"smtp/mail3.example.com/example.com"')),
        ("utf-8", "a username in UTF-8", "Charset", written(_WHOLE, username='"\u0416\u0438\u0432\u0430\u0433\u043e"')),
        ("utf-8-authzid", "without charset the authzid is UTF-8, too", "Authzid",
         written(_WHOLE, charset=None, authzid='"J\u00e4s\u00f8n"')),
        ("domain-backslash", "unescaped", "DomainBackslash", written(_WHOLE, username='"DOMAIN\\user"')),
        ("white-space", "around = and commas, folded", "WhiteSpace", whole.replace(", ", " ,\r\n\t").replace("nc=", "nc = ")),
        ("empty-members", "commas without directives", "EmptyMembers", ",," + whole + " ,"),
        ("of-http", "what only HTTP knows, twice", "NotOfSasl",
         whole + ", opaque=x, opaque=y, algorithm=MD5, uri=/, algorithm=SHA-256"),
        ("unknown", "unknown directives", "UnknownDirective", whole + ", x=1, X=2"),
    ):  # fmt: skip
        good(name, comment, flags, token)
    latin = written(_WHOLE, charset=None, username='"J\u00e4s\u00f8n"').encode("iso-8859-1")
    good("latin-1", "without charset a username is ISO 8859-1", "Charset", latin)
    book.group("Missing directives, in the order in which they are asked for.")
    for name in SASL_RESPONSE_REQUIRED:
        bad(f"no-{name}", f"{name} is missing", "Missing", written(_WHOLE, **{name: None}))
    bad("no-cipher", "auth-conf without a cipher", "Missing", written(_WHOLE, qop="auth-conf"))
    bad("empty", "nothing at all", "Missing", "")
    bad("challenge", "a challenge instead of a response", "Missing", 'nonce="OA6MG9tEQGm2hh",algorithm=md5-sess')
    book.group("Known directives twice.")
    for name, value in {**_WHOLE, "maxbuf": "1024", "cipher": "rc4", "authzid": '"admin"'}.items():
        once = whole if name in _WHOLE else f"{whole}, {name}={value}"
        bad(f"{name}-twice", f"{name} a second time, with the same value", "Repeated", f"{once}, {name}={value}")
    book.group("Values that may not be.")
    for name, values in (
        ("qop", ("token", '"auth,auth-int"', '""')),
        ("nc", ("1", "000000001", "0000000g")),
        ("response", ("0" * 31, "0" * 33, "z" * 32)),
        ("charset", ("utf8", "iso-8859-1")),
        ("cipher", ("aes", '"rc4,des"', '""')),
        ("digest-uri", ('""', "imap", '"imap/"', '"/host"')),
        ("authzid", ('""',)),
    ):
        for number, value in enumerate(values, 1):
            token = written(_WHOLE, **{name: value})
            bad(f"{name}-invalid-{number}", f"{name}={value}", "InvalidValue", token)
    for value in ("16", "0", "16777216", "4294967313", "18446744073709551633", "-17", "+17", "1e3", '""', '" 17"', "0x20"):
        name = value.strip('"').strip() or "empty"
        name = name.replace("+", "plus-").replace("-17", "minus-17").replace("plus-17", "plus-17")
        name = name + "-with-a-blank" if " " in value else name
        bad(f"maxbuf-{name}", f"maxbuf={value}", "Maxbuf InvalidValue", written(_WHOLE, maxbuf=value))
    bad("username-not-utf-8", "charset says UTF-8", "NotInCharset", whole.encode().replace(b"chris", b"\xe9"))
    bad("realm-not-utf-8", "charset says UTF-8", "NotInCharset", whole.encode().replace(b'm="elwood', b'm="\xff'))
    bad("authzid-not-utf-8", "an authzid in ISO 8859-1", "NotInCharset Authzid",
        written(_WHOLE, charset=None, authzid='"J\u00e4s\u00f8n"').encode("iso-8859-1"))  # fmt: skip
    book.group("Broken syntax.")
    for name, comment, token in (
        ("no-end", "the string does not end", 'username="chris'),
        ("no-comma", "no comma between directives", 'username="chris" realm="x"'),
        ("no-value", "nothing behind the =", "username="),
        ("mechanism", "the mechanism's name belongs to the protocol", "DIGEST-MD5 " + whole),
        ("length-in-front", "as a protocol with counted strings might leave it", b"\0\0\1\4" + whole.encode()),
    ):
        bad(name, comment, "SyntaxError", token)
    book.group("Written by other programs.")
    for capture in captured:
        source = interop(capture["peer"])
        token = bytes.fromhex(capture["token"])
        if capture["response"] is not None:
            flags = "Captured" + capture["charset_flag"]
            good(capture["name"], capture["peer"], flags, token, source=source)
        else:
            comment = "the username's quotes are not escaped"
            good(capture["name"], comment, "Captured UnescapedQuote", token, source=source, status=INVALID_TOKEN)
    return book


_CHALLENGE = {
    "realm": '"elwood.innosoft.com"',
    "nonce": '"OA6MG9tEQGm2hh"',
    "qop": '"auth"',
    "algorithm": "md5-sess",
    "charset": "utf-8",
}


def _challenge_tokens(captured):
    book = Book("sasl-challenge-token", "A digest-challenge as a client reads it.")

    def good(name, comment, flags, token, **more):
        _token(book, name, comment, flags, token, **more)

    def bad(name, comment, flags, token):
        good(name, comment, flags, token, status=INVALID_TOKEN)

    book.group("Good ones.")
    whole = written(_CHALLENGE)
    source = published("RFC 2831", "4")
    good("rfc-2831-imap", "The example.", "Published", whole.replace(", ", ","), source=source)
    for name, comment, flags, token in (
        ("nothing-optional", "nonce and algorithm alone", "Ordinary", "nonce=x,algorithm=md5-sess"),
        ("several-realms", "in their order", "SeveralRealms", whole + ', realm="", REALM="other"'),
        ("qop-list", "white space and unknown members", "Lists", written(_CHALLENGE, qop='"auth-conf, token ,,AUTH-int"')),
        ("qop-unknown", "nothing that a client knows", "Lists", written(_CHALLENGE, qop='"token"')),
        ("ciphers", "known ones, in the order of preference", "Lists",
         written(_CHALLENGE, qop='"auth-conf"', cipher='"des, 3DES,aes,rc4-40, rc4-56,rc4"')),
        ("ciphers-unknown", "nothing that a client knows", "Lists", written(_CHALLENGE, qop='"auth-conf"', cipher="aes")),
        ("no-cipher", "auth-conf without ciphers is read; a client will not choose it", "Lists",
         written(_CHALLENGE, qop='"auth-conf"')),
        ("maxbuf-least", "17", "Maxbuf", written(_CHALLENGE, maxbuf="17")),
        ("maxbuf-most", "16777215, quoted", "Maxbuf BareOrQuoted", written(_CHALLENGE, maxbuf='"16777215"')),
        ("stale", "stale is true", "Stale", written(_CHALLENGE, stale="true")),
        ("stale-else", "any other text", "Stale", written(_CHALLENGE, stale="no")),
        ("algorithm-in-capitals", "algorithm ignores case", "Ordinary", written(_CHALLENGE, algorithm="MD5-Sess")),
        ("algorithm-unknown", "another algorithm is read; a client will not answer", "Ordinary",
         written(_CHALLENGE, algorithm="md5")),
        ("of-http", "opaque and domain, twice", "NotOfSasl", whole + ", opaque=x, opaque=y, domain=/"),
        ("utf-8", "a realm in UTF-8", "Charset", written(_CHALLENGE, realm='"\u0440\u0435\u0430\u043b\u043c"')),
        ("2047-octets", "as long as may be", "Length", whole.ljust(MAXIMUM_CHALLENGE, ",")),
    ):  # fmt: skip
        good(name, comment, flags, token)
    latin = written(_CHALLENGE, charset=None, realm='"S\u00fcd"').encode("iso-8859-1")
    good("latin-1", "without charset a realm is ISO 8859-1", "Charset", latin)
    book.group("Bad ones.")
    for name, comment, flags, token in (
        ("2048-octets", "one octet too many", "Length SyntaxError", whole.ljust(MAXIMUM_CHALLENGE + 1, ",")),
        ("no-nonce", "nonce is missing", "Missing", written(_CHALLENGE, nonce=None)),
        ("no-algorithm", "algorithm is missing", "Missing", written(_CHALLENGE, algorithm=None)),
        ("qop-empty", "a list without a member", "InvalidValue Lists", written(_CHALLENGE, qop='","')),
        ("cipher-empty", "a list without a member", "InvalidValue Lists", written(_CHALLENGE, cipher='""')),
        ("maxbuf-16", "too small", "Maxbuf InvalidValue", written(_CHALLENGE, maxbuf="16")),
        ("maxbuf-16777216", "too large", "Maxbuf InvalidValue", written(_CHALLENGE, maxbuf="16777216")),
        ("charset", "another charset", "InvalidValue", written(_CHALLENGE, charset="iso-8859-1")),
        ("no-end", "the string does not end", "SyntaxError", 'realm="elwood'),
        ("rspauth", "the server's proof instead of a challenge", "Missing", "rspauth=ea40f60335c427b5527b84dbabcdfffd"),
    ):
        bad(name, comment, flags, token)
    for name in ("nonce", "qop", "algorithm", "charset"):
        bad(f"{name}-twice", f"{name} a second time", "Repeated", f"{whole}, {name}={_CHALLENGE[name]}")
    for name, value in (("stale", "true"), ("maxbuf", "1024"), ("cipher", "rc4")):
        bad(f"{name}-twice", f"{name} a second time", "Repeated", f"{whole}, {name}={value}, {name}={value}")
    token = (whole + ', realm="other"').encode().replace(b"other", b"\xff")
    bad("second-realm-not-utf-8", "charset says UTF-8", "NotInCharset SeveralRealms", token)
    book.group("Written by other programs.")
    for capture in captured:
        if capture["peer"].startswith("OpenJDK"):
            token = bytes.fromhex(capture["challenge"])
            good(capture["name"], capture["peer"], "Captured", token, source=interop(capture["peer"]))
    return book


def books(captured):
    return [
        _session_keys(),
        _responses(captured),
        _rspauths(captured),
        _response_tokens(captured),
        _challenge_tokens(captured),
    ]
