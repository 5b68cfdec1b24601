/* GNU SASL as client or server of tests/interop/README.md's line protocol. It has auth and auth-int. */
#include <gsasl.h>

#include "lines.h"

static int is_client;
static const char *user, *password, *authzid, *realm, *service, *host, *qop;
static Gsasl *library;
static Gsasl_session *session;

static int property(Gsasl *of, Gsasl_session *here, Gsasl_property wanted)
{
    (void)of;
    switch (wanted) {
    case GSASL_AUTHID:
        return gsasl_property_set(here, wanted, user);
    case GSASL_AUTHZID:
        return *authzid ? gsasl_property_set(here, wanted, authzid) : GSASL_NO_AUTHZID;
    case GSASL_PASSWORD:
        /* A server knows one account. */
        if (!is_client && strcmp(user, gsasl_property_fast(here, GSASL_AUTHID)))
            return GSASL_NO_PASSWORD;
        return gsasl_property_set(here, wanted, password);
    case GSASL_SERVICE:
        return gsasl_property_set(here, wanted, service);
    case GSASL_HOSTNAME:
        return gsasl_property_set(here, wanted, host);
    case GSASL_REALM:
        return *realm ? gsasl_property_set(here, wanted, realm) : GSASL_NO_CALLBACK;
    case GSASL_QOPS:
        return gsasl_property_set(here, wanted, !strcmp(qop, "auth-int") ? "qop-int" : "qop-auth");
    case GSASL_QOP:
        return gsasl_property_set(here, wanted, !strcmp(qop, "auth-int") ? "qop-int" : "qop-auth");
    default:
        return GSASL_NO_CALLBACK;
    }
}

static void answer(const char *word, struct bytes bytes)
{
    char *out = NULL;
    size_t length = 0;
    const char *in = (const char *)bytes.at;
    int result;
    if (!strcmp(word, "start")) {
        if (session)
            gsasl_finish(session);
        result = is_client ? gsasl_client_start(library, "DIGEST-MD5", &session)
                           : gsasl_server_start(library, "DIGEST-MD5", &session);
        /* A client waits for the challenge. */
        if (result == GSASL_OK && !is_client)
            result = gsasl_step(session, NULL, 0, &out, &length);
        if (result == GSASL_OK || result == GSASL_NEEDS_MORE)
            reply("token", out, length);
        else
            reply_failed(gsasl_strerror(result));
    } else if (!strcmp(word, "token")) {
        result = gsasl_step(session, in, bytes.length, &out, &length);
        if (result == GSASL_OK) {
            const char *name = gsasl_property_fast(session, GSASL_AUTHZID);
            if (!name || !*name)
                name = gsasl_property_fast(session, GSASL_AUTHID);
            reply_done(qop, name ? name : "", out, length);
        } else if (result == GSASL_NEEDS_MORE) {
            reply("token", out, length);
        } else {
            reply_failed(gsasl_strerror(result));
        }
    } else if (!strcmp(word, "wrap") || !strcmp(word, "unwrap")) {
        int wrap = *word == 'w';
        result = wrap ? gsasl_encode(session, in, bytes.length, &out, &length)
                      : gsasl_decode(session, in, bytes.length, &out, &length);
        if (result == GSASL_OK)
            reply(wrap ? "wrapped" : "unwrapped", out, length);
        else
            reply_failed(gsasl_strerror(result));
    } else {
        reply_failed("no such request");
    }
    gsasl_free(out);
}

int main(int count, char **arguments)
{
    if (count == 1) {
        puts(gsasl_check_version(NULL));
        return 0;
    }
    is_client = !strcmp(arguments[1], "client");
    user = argument(count, arguments, "user", "");
    password = argument(count, arguments, "password", "");
    authzid = argument(count, arguments, "authzid", "");
    realm = argument(count, arguments, "realm", "");
    service = argument(count, arguments, "service", "imap");
    host = argument(count, arguments, "host", "localhost");
    qop = argument(count, arguments, "qop", "auth");
    if (gsasl_init(&library) != GSASL_OK)
        return 3;
    gsasl_callback_set(library, property);
    serve_lines(answer);
    return 0;
}
