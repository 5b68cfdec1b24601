/* A library that is another one but for one wrong in AcceptSecurityContext, so that what is found of it is that wrong.
 *
 * HONEST, a macro, is the file of the other one. MODE, a macro, or else the environment variable DIGEST_SSP_HOSTILE says
 * which wrong; without either it is as the other one. */
#include <dlfcn.h>

#include "mode.h"

enum { ALLOCATE_MEMORY = 0x100 };

typedef int32_t Control(const uint8_t *, uint32_t, uint8_t *, uint32_t *);

static void *of_honest(const char *name) {
    static void *library;
    if (!library) library = dlopen(HONEST, RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

static Accept *accept_honestly;

static uintptr_t drawn(void) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uintptr_t)state;
}

/* Memory that a call has is written by the next one. */
static void write_late(char *memory) {
    static char *kept;
    if (kept) *kept = 'X';
    kept = memory;
}

static SECURITY_STATUS accept(SecHandle *credential, SecHandle *context, SecBufferDesc *input, uint32_t flags,
                              uint32_t representation, SecHandle *new, SecBufferDesc *output, uint32_t *granted,
                              int64_t *expiry) {
    SECURITY_STATUS said =
        accept_honestly(credential, context, input, flags, representation, new, output, granted, expiry);
    if (is("ok")) return OK;
    if (said < 0) return said;
    /* What the other one allocated is left as it is. */
    SecBuffer *out = flags & ALLOCATE_MEMORY ? NULL : first(output);
    if (out && out->pvBuffer) {
        if (is("late")) write_late(out->pvBuffer);
        if (is("length")) out->cbBuffer = 0x7FFFFFFF;
        if (is("moved")) out->pvBuffer = (char *)out->pvBuffer - 1;
    }
    if (is("handles") && new) *new = (SecHandle){drawn(), drawn()};
    return is("needs") ? COMPLETE_NEEDED : is("continues") ? CONTINUE_NEEDED : said;
}

struct table *InitSecurityInterfaceW(void) {
    static struct table table;
    struct table *(*init)(void) = (struct table *(*)(void))of_honest("InitSecurityInterfaceW");
    struct table *honest = init ? init() : NULL;
    if (!honest) return NULL;
    memcpy(&table, honest, sizeof table);
    accept_honestly = (Accept *)table.entries[ACCEPT];
    table.entries[ACCEPT] = (void *)accept;
    return &table;
}

int32_t DigestSspControl(const uint8_t *request, uint32_t length, uint8_t *answer, uint32_t *room) {
    Control *control = (Control *)of_honest("DigestSspControl");
    return control ? control(request, length, answer, room) : 1;
}
