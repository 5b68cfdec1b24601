/* One account for a server with Cyrus SASL, held in memory. */
#ifndef CYRUS_ACCOUNT_H
#define CYRUS_ACCOUNT_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *account_user, *account_password;

static inline int account_look_up(
    void *context, sasl_server_params_t *server, unsigned flags, const char *user, unsigned length)
{
    const struct propval *wanted = server->utils->prop_get(server->propctx);
    size_t known = strlen(account_user);
    (void)context;
    /* Whether one may act for another is asked elsewhere. */
    if (flags & SASL_AUXPROP_AUTHZID)
        return SASL_OK;
    /* Cyrus asks for USER@REALM. */
    if (length < known || memcmp(user, account_user, known) || (length > known && user[known] != '@'))
        return SASL_NOUSER;
    for (; wanted && wanted->name; wanted++) {
        const char *name = wanted->name;
        if (!strcasecmp(name + (*name == '*'), "userPassword"))
            server->utils->prop_set(
                server->propctx, wanted->name, account_password, (int)strlen(account_password));
    }
    return SASL_OK;
}

static inline int account_init(
    const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug, const char *name)
{
    static sasl_auxprop_plug_t plugin = { .auxprop_lookup = account_look_up, .name = "account" };
    (void)utils;
    (void)max;
    (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &plugin;
    return SASL_OK;
}

/* Options of the library: accounts from here, fast reauthentication for an hour. */
static inline int account_option(
    void *context, const char *plugin, const char *name, const char **value, unsigned *length)
{
    (void)context;
    (void)plugin;
    if (!strcmp(name, "auxprop_plugin"))
        *value = "account";
    else if (!strcmp(name, "reauth_timeout")) /* minutes */
        *value = "60";
    else if (!strcmp(name, "mech_list"))
        *value = "DIGEST-MD5";
    else
        return SASL_FAIL;
    if (length)
        *length = (unsigned)strlen(*value);
    return SASL_OK;
}

static inline int account_serve(const char *user, const char *password, const sasl_callback_t *callbacks)
{
    account_user = user;
    account_password = password;
    int result = sasl_server_init(callbacks, "digest-ssp");
    return result == SASL_OK ? sasl_auxprop_add_plugin("account", account_init) : result;
}

static inline void print_cyrus_version(void)
{
    int version;
    sasl_version(NULL, &version);
    printf("%d.%d.%d\n", version >> 24, version >> 16 & 0xff, version & 0xffff);
}

/* The signature under which callbacks of every type are listed. */
#define CALLBACK(id, function, context) { (id), (int (*)(void))(void (*)(void))(function), (context) }

#endif
