/* Cyrus SASL as client or server of tests/interop/README.md's line protocol.
 *
 * Cyrus chooses quality of protection and cipher by strength: min_ssf = max_ssf is 0 for auth, 1 for auth-int, the cipher's
 * for auth-conf. Its caches for fast reauthentication live as long as this process.
 */
#include "../cyrus_account.h"
#include "lines.h"

static int is_client;
static const char *user, *password, *authzid, *realm, *service, *host;
static sasl_security_properties_t properties;
static sasl_conn_t *connection;

static int simple(void *context, int id, const char **result, unsigned *length)
{
    (void)context;
    *result = id == SASL_CB_USER ? authzid : user;
    if (length)
        *length = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret(sasl_conn_t *of, void *context, int id, sasl_secret_t **result)
{
    static sasl_secret_t *kept;
    size_t length = strlen(password);
    (void)of;
    (void)context;
    (void)id;
    if (!kept) {
        kept = must(calloc(1, sizeof *kept + length));
        kept->len = length;
        memcpy(kept->data, password, length);
    }
    *result = kept;
    return SASL_OK;
}

static int choose_realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    (void)id;
    *result = *realm || !available ? realm : *available;
    return SASL_OK;
}

static int any_identity(sasl_conn_t *of, void *context, const char *requested, unsigned requested_length,
    const char *authenticated, unsigned authenticated_length, const char *default_realm, unsigned realm_length,
    struct propctx *properties_of)
{
    (void)of;
    (void)context;
    (void)requested;
    (void)requested_length;
    (void)authenticated;
    (void)authenticated_length;
    (void)default_realm;
    (void)realm_length;
    (void)properties_of;
    return SASL_OK;
}

static const char *negotiated(void)
{
    const void *ssf = NULL;
    sasl_getprop(connection, SASL_SSF, &ssf);
    sasl_ssf_t strength = ssf ? *(const sasl_ssf_t *)ssf : 0;
    return strength > 1 ? "auth-conf" : strength ? "auth-int" : "auth";
}

static void tell(int result, const char *out, unsigned length)
{
    if (result == SASL_OK) {
        const void *name = NULL;
        sasl_getprop(connection, SASL_USERNAME, &name);
        reply_done(negotiated(), name ? name : "", out, length);
    } else if (result == SASL_CONTINUE) {
        reply("token", out, length);
    } else {
        reply_failed(sasl_errdetail(connection));
    }
}

static void start(struct bytes initial)
{
    const char *out = NULL, *mechanism;
    unsigned length = 0;
    int result;
    if (connection)
        sasl_dispose(&connection);
    if (is_client) {
        result = sasl_client_new(service, host, NULL, NULL, NULL, 0, &connection);
        sasl_setprop(connection, SASL_SEC_PROPS, &properties);
        if (result == SASL_OK)
            result = sasl_client_start(connection, "DIGEST-MD5", NULL, &out, &length, &mechanism);
    } else {
        result = sasl_server_new(service, host, realm, NULL, NULL, NULL, SASL_SUCCESS_DATA, &connection);
        sasl_setprop(connection, SASL_SEC_PROPS, &properties);
        const char *token = initial.length ? (const char *)initial.at : NULL;
        if (result == SASL_OK)
            result = sasl_server_start(connection, "DIGEST-MD5", token, (unsigned)initial.length, &out, &length);
    }
    tell(result, out, length);
}

static void answer(const char *word, struct bytes bytes)
{
    const char *out = NULL;
    unsigned length = 0;
    const char *in = (const char *)bytes.at;
    unsigned in_length = (unsigned)bytes.length;
    if (!strcmp(word, "start")) {
        start(bytes);
    } else if (!strcmp(word, "token")) {
        int result = is_client ? sasl_client_step(connection, in, in_length, NULL, &out, &length)
                               : sasl_server_step(connection, in, in_length, &out, &length);
        tell(result, out, length);
    } else if (!strcmp(word, "wrap") || !strcmp(word, "unwrap")) {
        int wrap = *word == 'w';
        int result = wrap ? sasl_encode(connection, in, in_length, &out, &length)
                          : sasl_decode(connection, in, in_length, &out, &length);
        if (result == SASL_OK)
            reply(wrap ? "wrapped" : "unwrapped", out, length);
        else
            reply_failed(sasl_errdetail(connection));
    } else {
        reply_failed("no such request");
    }
}

int main(int count, char **arguments)
{
    static const sasl_callback_t callbacks[] = {
        CALLBACK(SASL_CB_GETOPT, account_option, NULL),
        CALLBACK(SASL_CB_USER, simple, NULL),
        CALLBACK(SASL_CB_AUTHNAME, simple, NULL),
        CALLBACK(SASL_CB_PASS, secret, NULL),
        CALLBACK(SASL_CB_GETREALM, choose_realm, NULL),
        { SASL_CB_LIST_END, NULL, NULL },
    };
    static const sasl_callback_t server_callbacks[] = {
        CALLBACK(SASL_CB_GETOPT, account_option, NULL),
        CALLBACK(SASL_CB_PROXY_POLICY, any_identity, NULL),
        { SASL_CB_LIST_END, NULL, NULL },
    };
    static const struct { const char *name; sasl_ssf_t ssf; } strengths[] = {
        { "auth", 0 }, { "auth-int", 1 }, { "rc4-40", 40 }, { "des", 55 }, { "rc4-56", 56 }, { "3des", 112 }, { "rc4", 128 },
    };
    if (count == 1) {
        print_cyrus_version();
        return 0;
    }
    is_client = !strcmp(arguments[1], "client");
    user = argument(count, arguments, "user", "");
    password = argument(count, arguments, "password", "");
    authzid = argument(count, arguments, "authzid", "");
    realm = argument(count, arguments, "realm", "");
    service = argument(count, arguments, "service", "imap");
    host = argument(count, arguments, "host", "localhost");
    const char *qop = argument(count, arguments, "qop", "auth");
    const char *layer = strcmp(qop, "auth-conf") ? qop : argument(count, arguments, "cipher", "rc4");
    properties.maxbufsize = (unsigned)strtoul(argument(count, arguments, "maxbuf", "65536"), NULL, 10);
    for (size_t index = 0; index < sizeof strengths / sizeof *strengths; index++)
        if (!strcmp(strengths[index].name, layer))
            properties.min_ssf = properties.max_ssf = strengths[index].ssf;
    int result = is_client ? sasl_client_init(callbacks) : account_serve(user, password, server_callbacks);
    if (result != SASL_OK)
        return 3;
    serve_lines(answer);
    return 0;
}
