/* An HTTP server on 127.0.0.1 that leaves Digest to Cyrus SASL's HTTP mode (SASL_NEED_HTTP).
 *
 * Arguments: REALM QOP USER PASSWORD, QOP being `auth` or `auth-int`; without any it prints the version of Cyrus SASL.
 * The first line of standard output is the port. Each request is answered on a connection of its own; what is known about
 * nonces lives in Cyrus's cache for fast reauthentication, as with any HTTP server that has no connection to remember by.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cyrus_account.h"

static const char *realm;

/* The value of a header in `head`, up to the end of its line, in a new string. */
static char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (!strncasecmp(at, name, length) && at[length] == ':') {
            at += length + 1;
            at += strspn(at, " ");
            return strndup(at, strcspn(at, "\r"));
        }
    }
    return NULL;
}

static void answer(int client, const char *status, const char *name, const char *token, unsigned length, const char *body)
{
    dprintf(client, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status, strlen(body));
    if (token && length)
        dprintf(client, "%s%.*s\r\n", name, (int)length, token);
    dprintf(client, "\r\n%s", body);
}

static void serve(int client, unsigned ssf)
{
    static char head[65536];
    size_t have = 0, body_length = 0;
    char *end = NULL;
    while (have < sizeof head - 1) {
        ssize_t got = read(client, head + have, sizeof head - 1 - have);
        if (got <= 0)
            return;
        have += (size_t)got;
        head[have] = 0;
        if (!end && (end = strstr(head, "\r\n\r\n"))) {
            char *text = header(head, "Content-Length");
            body_length = text ? strtoul(text, NULL, 10) : 0;
            free(text);
        }
        if (end && have >= (size_t)(end + 4 - head) + body_length)
            break;
    }
    if (!end)
        return;
    char method[32] = "", uri[2048] = "";
    sscanf(head, "%31s %2047s", method, uri);
    char *authorization = header(head, "Authorization");
    const char *token = authorization && !strncasecmp(authorization, "Digest ", 7) ? authorization + 7 : NULL;

    sasl_http_request_t request = { method, uri, (const unsigned char *)end + 4, body_length, 1 };
    sasl_conn_t *connection;
    sasl_security_properties_t properties = { .max_ssf = ssf, .min_ssf = ssf, .maxbufsize = 65536 };
    const char *out = NULL;
    unsigned out_length = 0;
    if (sasl_server_new("http", "localhost", realm, NULL, NULL, NULL, SASL_NEED_HTTP | SASL_SUCCESS_DATA, &connection)
        != SASL_OK)
        exit(3);
    sasl_setprop(connection, SASL_SEC_PROPS, &properties);
    sasl_setprop(connection, SASL_HTTP_REQUEST, &request);
    int result =
        sasl_server_start(connection, "DIGEST-MD5", token, token ? (unsigned)strlen(token) : 0, &out, &out_length);
    if (result == SASL_OK) {
        const void *user = NULL;
        char body[4096];
        sasl_getprop(connection, SASL_USERNAME, &user);
        snprintf(body, sizeof body, "%s: %s %s with %zu bytes\n", (const char *)user, method, uri, body_length);
        /* Cyrus makes its proof before there is a response, from the body it knows: that of the request. */
        if (!strcmp(uri, "/echo"))
            snprintf(body, sizeof body, "%.*s", (int)body_length, end + 4);
        answer(client, "200 OK", "Authentication-Info: ", out, out_length, body);
    } else if (result == SASL_CONTINUE) {
        answer(client, "401 Unauthorized", "WWW-Authenticate: Digest ", out, out_length, "challenge\n");
    } else {
        /* Refused: the next challenge comes from a connection that has heard nothing. */
        char body[1024];
        snprintf(body, sizeof body, "%s\n", sasl_errdetail(connection));
        sasl_dispose(&connection);
        sasl_server_new("http", "localhost", realm, NULL, NULL, NULL, SASL_NEED_HTTP | SASL_SUCCESS_DATA, &connection);
        sasl_setprop(connection, SASL_SEC_PROPS, &properties);
        request.entity = NULL;
        request.elen = 0;
        sasl_setprop(connection, SASL_HTTP_REQUEST, &request);
        sasl_server_start(connection, "DIGEST-MD5", NULL, 0, &out, &out_length);
        answer(client, "401 Unauthorized", "WWW-Authenticate: Digest ", out, out_length, body);
    }
    sasl_dispose(&connection);
    free(authorization);
}

int main(int count, char **arguments)
{
    static const sasl_callback_t callbacks[] = {
        CALLBACK(SASL_CB_GETOPT, account_option, NULL),
        { SASL_CB_LIST_END, NULL, NULL },
    };
    if (count == 1) {
        print_cyrus_version();
        return 0;
    }
    if (count != 5)
        return 2;
    realm = arguments[1];
    if (account_serve(arguments[3], arguments[4], callbacks) != SASL_OK)
        return 3;

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16)
        || getsockname(listener, (struct sockaddr *)&address, &size))
        return 4;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            return 5;
        serve(client, !strcmp(arguments[2], "auth-int"));
        close(client);
    }
}
