"""The vectors of HTTP Digest."""

from .directives import DIRECTIVES, TOKEN_BYTES
from .hashes import h, h_a2, request_digest, user_hash
from .messages import MAXIMUM_CHALLENGE, RESPONSE_REQUIRED
from .sasl_hashes import sasl_session_key, sasl_user_hash
from .vector_operations import INVALID_TOKEN, LOGON_DENIED, MESSAGE_ALTERED, http_response, http_rspauth, octets
from .vector_writing import Book, digits, interop, published, text_or_hex

_MUFASA = {"username": "Mufasa", "realm": "testrealm@host.com", "password": "Circle Of Life"}
_RFC_2617 = {
    **_MUFASA,
    "algorithm": None,
    "method": "GET",
    "uri": "/dir/index.html",
    "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    "nc": "00000001",
    "cnonce": "0a4f113b",
    "qop": "auth",
    "entity": None,
}
_RFC_7616 = {
    **_RFC_2617,
    "realm": "http-auth@example.org",
    "password": "Circle of Life",
    "algorithm": "MD5",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}
_ACCOUNTS = (
    ("ascii", "Mufasa", "testrealm@host.com", "Circle Of Life", "Ordinary"),
    ("latin-1-username", "J\u00e4s\u00f8n Doe", "realm", "secret", "Charset"),
    ("latin-1-password", "user", "realm", "Stra\u00dfe", "Charset"),
    ("latin-1-realm", "user", "S\u00fcd", "secret", "Charset"),
    ("cyrillic-username", "\u0416\u0438\u0432\u0430\u0433\u043e", "realm", "Stra\u00dfe", "Charset"),
    ("euro-password", "J\u00e4s\u00f8n", "realm", "\u20ac100", "Charset"),
    ("astral-password", "user", "\u00e0 la carte", "\U0001f511", "Charset"),
    ("decomposed", "e\u0301", "realm", "\u00e9", "Charset"),
    ("domain", "DOMAIN\\user", "realm", "secret", "DomainBackslash"),
    ("quotes", 'say "hi"', 'the "inner" realm', 'p"a\\ss:word', "Escapes"),
    ("empty-password", "user", "realm", "", "EmptyValue"),
    ("empty-realm", "user", "", "secret", "EmptyValue"),
)


def _exchange(name, **changes):
    drawn = {"nonce": digits(name + "/nonce"), "cnonce": digits(name + "/cnonce", 16)}
    return {**_RFC_2617, **drawn, **changes}


def _with_response(given):
    return {**given, "response": http_response({**given, "response": ""})["response"]}


def _session_keys():
    book = Book("http-session-key", "H(A1) of an account: what an acceptor keeps, what every proof begins with.")
    book.group("RFC 2617 section 3.2.2.2.")
    for algorithm in ("MD5", "MD5-sess"):
        for account, username, realm, password, flag in _ACCOUNTS:
            name = f"{algorithm.lower()}/{account}"
            given = {"username": username, "realm": realm, "password": password, "algorithm": algorithm}
            given |= {"nonce": digits(name + "/nonce"), "cnonce": digits(name + "/cnonce", 16)}
            flags = flag + (" Md5Sess" if algorithm == "MD5-sess" else "")
            book.add(name, f"{algorithm}, {account}", flags, given)
    return book


def _responses(captured):
    book = Book(
        "http-response",
        "The digest of a request, made by a client and judged by an acceptor that knows the account. `expected.response` is"
        " what a client computes; `input.response` is what was sent, right if the status is SEC_E_OK.",
    )
    book.group("Printed in the documents.")
    for name, given, response, source in (
        ("rfc-2617", _RFC_2617, "6629fae49393a05397450978507c4ef1", published("RFC 2617", "3.5")),
        ("rfc-7616", _RFC_7616, "8ca523f5e9506fed4657c9700eebdbec", published("RFC 7616", "3.9.1")),
    ):
        book.add(name, "The example.", "Published", {**given, "response": response}, source=source)
    book.group("Every algorithm and quality of protection.")
    bodies = {"auth": None, "auth-int": h(b"a=1&b=2").decode(), None: None}
    for algorithm in (None, "MD5", "MD5-sess"):
        for qop, entity in bodies.items():
            name = f"{(algorithm or 'absent').lower()}/{qop or 'no-qop'}"
            given = _exchange(name, algorithm=algorithm, qop=qop, entity=entity, method="POST" if entity else "GET")
            flags = ["Ordinary"] if qop else ["Rfc2069Form"]
            flags += ["AuthInt"] if entity else []
            flags += ["Md5Sess"] if algorithm == "MD5-sess" else []
            book.add(name, f"algorithm {algorithm}, qop {qop}", " ".join(flags), _with_response(given))
    book.group("Values hashed as they were sent.")
    for name, comment, flags, changes in (
        ("qop-in-capitals", "AUTH is auth, and hashed as AUTH", "CaseOfQop", {"qop": "AUTH"}),
        ("count-in-capitals", "nc has a digit in upper case", "CaseOfDigits", {"nc": "0000000A"}),
        ("count-in-small-letters", "nc has a digit in lower case", "CaseOfDigits", {"nc": "0000000a"}),
        ("last-count", "the highest nc", "Ordinary", {"nc": "ffffffff"}),
        ("empty-cnonce", "cnonce is empty", "EmptyValue", {"cnonce": ""}),
        ("absolute-uri", "a uri in absolute form", "Ordinary", {"uri": "http://www.nowhere.org/dir/index.html"}),
        ("asterisk", "OPTIONS *", "Ordinary", {"uri": "*", "method": "OPTIONS"}),
        ("uri-not-ascii", "octets above 7F in the uri", "Ordinary", {"uri": {"hex": "2f636166e9"}}),
        ("method-case", "a method in small letters is another method", "Ordinary", {"method": "get"}),
        ("nonce-with-quote", "the unescaped nonce is hashed", "Escapes", {"nonce": 'a"b\\c'}),
        ("empty-body", "auth-int without a body: MD5 of nothing", "AuthInt", {"qop": "auth-int", "entity": h(b"").decode()}),
        (
            "entity-in-capitals", "H(entity-body) is hashed in lower case", "AuthInt CaseOfDigits",
            {"qop": "auth-int", "entity": h(b"body").decode().upper()},
        ),
    ):  # fmt: skip
        book.add(name, comment, flags, _with_response(_exchange(name, **changes)))
    upper = _with_response(_exchange("digits-in-capitals"))
    upper["response"] = upper["response"].upper()
    book.add("digits-in-capitals", "the response in upper case is the same number", "CaseOfDigits", upper)
    book.group("Accounts beyond US-ASCII.")
    for account, username, realm, password, flag in _ACCOUNTS:
        given = _exchange(f"account/{account}", username=username, realm=realm, password=password)
        book.add(f"account/{account}", account, flag, _with_response(given))
    latin = _exchange("utf-8-form", username="J\u00e4s\u00f8n", password="Stra\u00dfe")
    utf8 = user_hash("J\u00e4s\u00f8n", latin["realm"], "Stra\u00dfe", lambda text: text.encode("utf-8"))
    mixed = h("J\u00e4s\u00f8n".encode(), latin["realm"].encode(), "Stra\u00dfe".encode("iso-8859-1"))
    tail = [octets(latin[name]) for name in ("nonce", "nc", "cnonce", "qop")]
    a2 = h_a2(b"GET", octets(latin["uri"]), b"auth", None)
    sent = {**latin, "response": request_digest(utf8, *tail, a2).decode()}
    book.add("utf-8-form", "hashed in UTF-8 throughout, as RFC 7616 clients do", "Utf8Form", sent)
    sent = {**latin, "response": request_digest(mixed, *tail, a2).decode()}
    book.add("mixed-forms", "user name in UTF-8, password in ISO 8859-1", "MixedForms", sent, LOGON_DENIED)
    book.group("Wrong ones.")
    right = _with_response(_RFC_2617)
    for at in (0, 15, 31):
        digit = "0" if right["response"][at] != "0" else "1"
        sent = {**right, "response": right["response"][:at] + digit + right["response"][at + 1 :]}
        book.add(f"wrong-digit-{at}", f"digit {at} is another one", "WrongValue", sent, LOGON_DENIED)
    for name, value in (
        ("username", "mufasa"), ("realm", "testrealm"), ("password", "Circle of Life"), ("method", "POST"),
        ("uri", "/dir/Index.html"), ("nonce", "dcd98b"), ("nc", "00000002"), ("cnonce", "0A4F113B"), ("qop", "Auth"),
        ("algorithm", "MD5-sess"),
    ):  # fmt: skip
        sent = {**right, name: value}
        book.add(f"another-{name}", f"made for another {name}", "WrongValue", sent, LOGON_DENIED)
    sess = _exchange("raw-md5-sess", algorithm="MD5-sess")
    raw = sasl_session_key(sasl_user_hash(*(sess[name] for name in _MUFASA)), octets(sess["nonce"]), octets(sess["cnonce"]))
    tail = [octets(sess[name]) for name in ("nonce", "nc", "cnonce", "qop")]
    sent = {**sess, "response": request_digest(raw.hex().encode(), *tail, a2).decode()}
    book.add("raw-md5-sess", "A1 of the raw user hash", "RawMd5Sess", sent, LOGON_DENIED)
    entity = _exchange("entity-left-out", qop="auth-int", entity=h(b"body").decode())
    tail = [octets(entity[name]) for name in ("nonce", "nc", "cnonce", "qop")]
    user = user_hash(*(entity[name] for name in _MUFASA))
    sent = {**entity, "response": request_digest(user, *tail, a2).decode()}
    book.add("entity-left-out", "auth-int, and A2 without the body", "AuthInt", sent, LOGON_DENIED)
    sent = {**_with_response({**entity, "entity": h(b"").decode()}), "entity": entity["entity"]}
    book.add("entity-of-empty-body", "the hash of an empty body instead of this one", "AuthInt", sent, LOGON_DENIED)
    book.group("Written by other programs.")
    for name, comment, capture in _chosen(captured, lambda message: True):
        message = capture["message"]
        given = {"username": capture["username"], "realm": capture["realm"], "password": capture["password"]}
        algorithm = message.get("algorithm")
        given["algorithm"] = {None: None, b"md5": "MD5", b"md5-sess": "MD5-sess"}[algorithm and algorithm.lower()]
        given["method"] = capture["method"]
        for directive in ("uri", "nonce", "nc", "cnonce", "qop"):
            value = message.get(directive)
            given[directive] = None if value is None else text_or_hex(value)
        given |= {"entity": None, "response": message["response"].decode("ascii")}
        if book.has(given):
            continue  # without a nonce of their own, two clients say the same
        flags = "Captured" + ("" if given["qop"] else " Rfc2069Form") + (" Md5Sess" if given["algorithm"] == "MD5-sess" else "")
        book.add(name, comment, flags, given, source=interop(capture["peer"]))
    return book


def _chosen(captured, wanted):
    """One capture of each peer, challenge and account: the first."""
    seen = set()
    for capture in captured:
        peer = capture["peer"].rpartition(" ")[0] if capture["peer"][-1].isdigit() else capture["peer"]
        account = "domain" if "\\" in capture["username"] else "plain"
        name = f"{peer.lower().replace(' ', '-')}/{capture['challenge']}/{account}"
        if name in seen or capture["message"] is None or not wanted(capture["message"]):
            continue
        seen.add(name)
        yield name, f"{capture['peer']}, challenge {capture['challenge']}", capture


def _rspauths():
    book = Book(
        "http-rspauth",
        "The server's proof in Authentication-Info: the digest of the same request with an empty method; under auth-int"
        " `entity` is the hash of the response's body.",
    )
    book.group("RFC 2617 section 3.2.3.")
    for algorithm in (None, "MD5-sess"):
        for qop in ("auth", "auth-int", None):
            name = f"{(algorithm or 'absent').lower()}/{qop or 'no-qop'}"
            given = _exchange(name, algorithm=algorithm, qop=qop, entity=h(b"answer").decode() if qop == "auth-int" else None)
            del given["method"]
            given["rspauth"] = http_rspauth({**given, "rspauth": ""})["rspauth"]
            flags = ("Ordinary" if qop else "Rfc2069Form") + (" AuthInt" if qop == "auth-int" else "")
            book.add(name, f"algorithm {algorithm}, qop {qop}", flags, given)
    right = dict(given, **{name: _RFC_2617[name] for name in ("nonce", "cnonce", "qop")}, algorithm=None)
    right["rspauth"] = http_rspauth(right)["rspauth"]
    book.add("digits-in-capitals", "the same number", "CaseOfDigits", {**right, "rspauth": right["rspauth"].upper()})
    book.group("Wrong ones.")
    reflected = {**right, "rspauth": _with_response({**right, "method": "GET"})["response"]}
    book.add("reflected", "the client's own response", "ReflectedProof", reflected, MESSAGE_ALTERED)
    for name, value in (("nc", "00000002"), ("cnonce", "c"), ("uri", "/"), ("password", "circle of life")):
        book.add(f"another-{name}", f"made for another {name}", "WrongValue", {**right, name: value}, MESSAGE_ALTERED)
    return book


# Tokens

_WHOLE = {
    "username": '"Mufasa"',
    "realm": '"testrealm@host.com"',
    "nonce": '"dcd98b7102dd2f0e8b11d0f600bfb0c093"',
    "uri": '"/dir/index.html"',
    "qop": "auth",
    "nc": "00000001",
    "cnonce": '"0a4f113b"',
    "response": '"6629fae49393a05397450978507c4ef1"',
    "opaque": '"5ccc069c403ebaf9f0171e9517f40e41"',
}


def written(directives, **changes):
    """A token of directives as they are written; None leaves one out."""
    values = {**directives, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)


def _response_tokens(captured):
    book = Book(
        "http-response-token",
        "The value of an Authorization header behind the word Digest, as an acceptor reads it. Positions are offsets of octets.",
    )

    def good(name, comment, flags, token, **more):
        book.add(name, comment, flags, {"token": token if isinstance(token, (str, dict)) else text_or_hex(token)}, **more)

    def bad(name, comment, flags, token):
        good(name, comment, flags, token, status=INVALID_TOKEN)

    book.group("Good ones.")
    good("rfc-2617", "The example.", "Published", written(_WHOLE), source=published("RFC 2617", "3.5"))
    good("every-directive", "All that is known.", "Ordinary", written(
        _WHOLE, algorithm="MD5-sess", charset="utf-8", hashed_dirs='"service-name,channel-binding"',
        service_name='"HTTP/host"', channel_binding='"' + "0" * 32 + '"'))
    for name, comment, flags, token in (
        ("folded", "lines folded between the directives", "WhiteSpace", written(_WHOLE).replace(", ", ",\r\n ")),
        ("white-space-everywhere", "around every = and comma", "WhiteSpace",
         " \t" + written(_WHOLE).replace(", ", " \t,\t ").replace("=", " =\r\n\t", 9) + " "),
        ("no-white-space", "commas alone", "WhiteSpace", written(_WHOLE).replace(", ", ",")),
        ("empty-members", "commas in a row, and at both ends", "EmptyMembers", ",, " + written(_WHOLE).replace(", ", ", ,,") + ","),
        ("names-in-capitals", "names ignore case", "Ordinary", written({name.upper(): value for name, value in _WHOLE.items()})),
        ("all-quoted", "qop and nc quoted", "BareOrQuoted", written(_WHOLE, qop='"auth"', nc='"00000001"')),
        ("bare", "what can be bare is", "BareOrQuoted", written({name: value.strip('"') for name, value in _WHOLE.items()})),
        ("bare-backslash", "a bare value has no escapes", "BareOrQuoted", written(_WHOLE, username="DOMAIN\\\\user", nonce="a\\b")),
        ("reversed", "in another order", "Ordinary", ", ".join(reversed(written(_WHOLE).split(", ")))),
        ("domain-backslash", "unescaped, as Windows clients send it", "DomainBackslash", written(_WHOLE, username='"DOMAIN\\user"')),
        ("domain-two-backslashes", "escaped as the grammar asks", "DomainBackslash", written(_WHOLE, username='"DOMAIN\\\\user"')),
        ("escaped-quote", "a quote in the username", "Escapes", written(_WHOLE, username='"say \\"hi\\""')),
        ("escaped-letters", "elsewhere a needless backslash vanishes", "Escapes", written(_WHOLE, realm='"\\t\\e\\\\st"')),
        ("comma-in-quotes", "a comma inside a string", "Escapes", written(_WHOLE, uri='"/a,b?c=d,e"')),
        ("empty-strings", "empty where it may be", "EmptyValue", written(_WHOLE, realm='""', cnonce='""', opaque='""')),
        ("unknown", "unknown directives, one of them twice", "UnknownDirective", written(_WHOLE) + ', x=1, X="2", auth-param=a'),
        ("stale-is-unknown", "known in challenges only", "UnknownDirective", written(_WHOLE) + ", stale=true, stale=true"),
        ("qop-in-capitals", "kept as sent", "CaseOfQop", written(_WHOLE, qop="Auth-Int")),
        ("digits-in-capitals", "nc and response", "CaseOfDigits", written(_WHOLE, nc="0000000A", response="ABCDEF" + "0" * 26)),
        ("utf-8", "charset behind what it is about", "Charset", written(_WHOLE, username='"J\u00e4s\u00f8n"', charset="UTF-8")),
        ("folded-value", "a fold inside a string is kept", "WhiteSpace", written(_WHOLE, realm='"a\r\n b"')),
    ):  # fmt: skip
        good(name, comment, flags, token)
    good("latin-1", "without charset a username is ISO 8859-1", "Charset",
         written(_WHOLE, username='"J\u00e4s\u00f8n"').encode("iso-8859-1"))
    whole = written(_WHOLE)
    good("64-directives", "as many as may be", "Length", whole + ",x=1" * (DIRECTIVES - 9))
    book.group("Broken syntax.")
    bad("65-directives", "one too many", "Length SyntaxError", whole + ",x=1" * (DIRECTIVES - 8))
    bad("8193-octets", "longer than a token may be", "Length SyntaxError", whole + ", x=" + "y" * (TOKEN_BYTES - len(whole) - 3))
    for name, comment, token in (
        ("name-alone", "a name without a value", "username"),
        ("no-value", "nothing behind the =", "username="),
        ("comma-for-a-value", "a comma behind the =", "username=, realm=x"),
        ("no-name", "begins with =", '="Mufasa"'),
        ("quoted-name", "a name in quotes", '"username"="Mufasa"'),
        ("two-values", "a second value behind the first", 'username="Mufasa" "x"'),
        ("no-comma", "no comma between directives", 'username="Mufasa" realm="x"'),
        ("semicolons", "semicolons for commas", written(_WHOLE).replace(", ", "; ")),
        ("no-end", "the string does not end", 'username="Mufasa'),
        ("ends-in-backslash", "a backslash at the end", 'username="Mufasa\\'),
        ("bare-newline", "a line feed without its carriage return", 'username="Mufasa",\n realm="x"'),
        ("fold-without-blank", "the next line does not begin with a blank", 'username="Mufasa",\r\nrealm="x"'),
        ("quote-in-bare", "a quote inside a bare value", 'username=Mu"fasa"'),
        ("scheme", "the scheme belongs to the header, not to the token", "Digest " + whole),
    ):
        bad(name, comment, "SyntaxError", token)
    for name, octet in (("nul", b"\x00"), ("delete", b"\x7f"), ("bell", b"\x07")):
        bad(f"{name}-in-string", f"{name} inside a string", "SyntaxError", b'username="Mu' + octet + b'fasa"')
    bad("not-ascii-name", "a name beyond US-ASCII", "SyntaxError", b"us\xe9rname=x")
    book.group("Missing directives, in the order in which they are asked for.")
    for name in RESPONSE_REQUIRED:
        bad(f"no-{name}", f"{name} is missing", "Missing", written(_WHOLE, **{name: None}))
    bad("empty", "nothing at all", "Missing", "")
    book.group("Known directives twice.")
    for name, value in {**_WHOLE, "algorithm": "MD5", "charset": "utf-8"}.items():
        once = whole if name in _WHOLE else f"{whole}, {name}={value}"
        bad(f"{name}-twice", f"{name} a second time, with the same value", "Repeated", f"{once}, {name.upper()}={value}")
    book.group("Values that may not be.")
    for name, values in (
        ("qop", ("auth-conf", '"auth,auth-int"', '""', '"auth "')),
        ("nc", ("1", "0000001", "000000001", "0000000g", '" 0000001"', "0x000001")),
        ("response", ("0" * 31, "0" * 33, "g" * 32, '""')),
        ("algorithm", ("SHA-256", "MD5-sess-", '""')),
        ("charset", ("utf8", "iso-8859-1", '""')),
        ("uri", ('""',)),
    ):
        for number, value in enumerate(values, 1):
            token = written(_WHOLE, **{name: value})
            bad(f"{name}-invalid-{number}", f"{name}={value}", "InvalidValue", token)
    bad("username-not-utf-8", "charset says UTF-8", "NotInCharset", written(_WHOLE, charset="utf-8").encode().replace(b"Mufasa", b"\xe9"))
    bad("realm-not-utf-8", "charset says UTF-8", "NotInCharset", written(_WHOLE, charset="utf-8").encode().replace(b"testrealm", b"\xc0\x80"))
    book.group("Two offences.")
    for name, comment, token in (
        ("value-then-syntax", "an invalid value before broken syntax", 'nc=1, realm="'),
        ("repeated-then-value", "the second one is also invalid", "nc=00000001, nc=1"),
        ("syntax-of-a-repeated-one", "the second one never ends", 'nc=00000001, nc="'),
        ("missing-and-invalid", "what is missing is named last", "nc=1"),
    ):
        bad(name, comment, "FirstOffence", token)
    book.group("Written by other programs.")
    for name, comment, capture in _chosen(captured, lambda message: "qop" in message):
        if capture["challenge"] in ("md5-sess", "quoted-realm"):
            good(name, comment, "Captured", capture["token"], source=interop(capture["peer"]))
    for name, comment, capture in _chosen(captured, lambda message: "qop" not in message):
        given = {"token": capture["token"]}
        if not book.has(given):
            book.add(name, comment + ": no qop in it", "Captured Missing", given, INVALID_TOKEN, interop(capture["peer"]))
    seen = set()
    for capture in captured:
        if capture["message"] is None and capture["peer"] not in seen:
            seen.add(capture["peer"])
            name = "unescaped/" + capture["peer"].rstrip("0123456789.").strip().lower().replace(" ", "-")
            book.add(name, "the realm's quotes are not escaped", "Captured UnescapedQuote", {"token": capture["token"]},
                     INVALID_TOKEN, interop(capture["peer"]))  # fmt: skip
    return book


_CHALLENGE = {
    "realm": '"testrealm@host.com"',
    "qop": '"auth,auth-int"',
    "nonce": '"dcd98b7102dd2f0e8b11d0f600bfb0c093"',
    "opaque": '"5ccc069c403ebaf9f0171e9517f40e41"',
}


def _challenge_tokens():
    book = Book("http-challenge-token", "The value of a WWW-Authenticate header behind the word Digest, as a client reads it.")

    def good(name, comment, flags, token, **more):
        book.add(name, comment, flags, {"token": token if isinstance(token, str) else text_or_hex(token)}, **more)

    def bad(name, comment, flags, token):
        good(name, comment, flags, token, status=INVALID_TOKEN)

    book.group("Good ones.")
    good("rfc-2617", "The example.", "Published", written(_CHALLENGE), source=published("RFC 2617", "3.5"))
    for name, comment, flags, changes in (
        ("no-qop", "a server of RFC 2069", "Rfc2069Form", {"qop": None}),
        ("bare-qop", "the list unquoted, with one member", "BareOrQuoted", {"qop": "auth"}),
        ("qop-with-spaces", "white space in the list", "Lists", {"qop": '" auth ,\tauth-int,, "'}),
        ("qop-unknown-members", "members that nobody knows", "Lists", {"qop": '"auth-conf,token"'}),
        ("qop-in-capitals", "members ignore case", "Lists", {"qop": '"AUTH"'}),
        ("md5-sess", "algorithm in capitals", "Ordinary", {"algorithm": "MD5-SESS"}),
        ("sha-256", "an algorithm that a client may not know", "UnknownDirective", {"algorithm": "SHA-256"}),
        ("stale", "stale ignores case", "Stale", {"stale": "TRUE"}),
        ("stale-false", "false", "Stale", {"stale": "false"}),
        ("stale-else", "any other text", "Stale", {"stale": '"maybe"'}),
        ("domain", "a list of URIs", "Ordinary", {"domain": '"/ http://www.nowhere.org/"'}),
        ("no-opaque", "opaque may be missing", "Ordinary", {"opaque": None}),
        ("empty-nonce", "nonce is empty", "EmptyValue", {"nonce": '""'}),
        ("utf-8", "realm in UTF-8", "Charset", {"realm": '"\u0440\u0435\u0430\u043b\u043c"', "charset": "utf-8"}),
        ("upgraded", "a nonce that asks for extended protection", "Ordinary", {"nonce": '"+Upgraded+v1' + "0" * 32 + '"'}),
    ):
        good(name, comment, flags, written(_CHALLENGE, **changes))
    good("latin-1", "realm in ISO 8859-1", "Charset", written(_CHALLENGE, realm='"S\u00fcd"').encode("iso-8859-1"))
    whole = written(_CHALLENGE)
    good("2047-octets", "as long as may be", "Length", whole.ljust(MAXIMUM_CHALLENGE, ","))
    book.group("Bad ones.")
    bad("2048-octets", "one octet too many", "Length SyntaxError", whole.ljust(MAXIMUM_CHALLENGE + 1, ","))
    bad("no-realm", "realm is missing", "Missing", written(_CHALLENGE, realm=None))
    bad("no-nonce", "nonce is missing", "Missing", written(_CHALLENGE, nonce=None))
    bad("two-realms", "realm twice", "Repeated", whole + ', realm="other"')
    bad("two-nonces", "nonce twice", "Repeated", whole + ", nonce=x")
    bad("empty-qop", "a list without a member", "InvalidValue Lists", written(_CHALLENGE, qop='" , "'))
    bad("charset", "another charset", "InvalidValue", written(_CHALLENGE, charset="iso-8859-1"))
    bad("realm-not-utf-8", "charset says UTF-8", "NotInCharset", written(_CHALLENGE, charset="utf-8").encode().replace(b"testrealm", b"\xff"))
    bad("no-end", "the string does not end", "SyntaxError", whole[:-1])
    bad("two-challenges", "a second scheme in the header", "SyntaxError", whole + ', Basic realm="x"')
    return book


def books(captured):
    return [_session_keys(), _responses(captured), _rspauths(), _response_tokens(captured), _challenge_tokens()]
