/* A library that nobody should meet: it crashes, hangs, or writes where it must not.
 *
 * MODE, a macro, or else the environment variable DIGEST_SSP_HOSTILE says which. Whatever it does, it does in
 * AcceptSecurityContext, unless the mode says otherwise; to everything else it answers SEC_E_OK. */
#include <stdio.h>
#include <unistd.h>

#include "mode.h"

typedef struct { void *User; uint32_t UserLength; void *Domain; uint32_t DomainLength; void *Password; } Identity;

static void make(SecHandle *handle) {
    static uintptr_t count;
    *handle = (SecHandle){++count, 1};
}

__attribute__((constructor)) static void loaded(void) {
    if (is("exit-when-loaded")) exit(0);
}

static SECURITY_STATUS acquire(uint16_t *principal, uint16_t *package, uint32_t use, void *logon, Identity *identity,
                               void *key, void *argument, SecHandle *credential, int64_t *expiry) {
    (void)principal, (void)use, (void)logon, (void)key, (void)argument;
    if (is("package")) package[0] = 'X';
    if (is("identity") && identity) *(uint16_t *)identity->Password = 'X';
    if (is("expiry")) ((char *)expiry)[-1] = 'X';
    make(credential);
    *expiry = 0;
    return OK;
}

static SECURITY_STATUS accept(SecHandle *credential, SecHandle *context, SecBufferDesc *input, uint32_t flags,
                              uint32_t representation, SecHandle *new, SecBufferDesc *output, uint32_t *granted,
                              int64_t *expiry) {
    (void)credential, (void)context, (void)flags, (void)representation, (void)granted, (void)expiry;
    SecBuffer *in = first(input), *out = first(output);
    if (is("null")) *(volatile int *)0 = 1;
    if (is("abort")) abort();
    if (is("exit-0")) exit(0);
    if (is("exit-at-once")) _exit(7);
    if (is("hang")) for (;;) pause();
    if (is("spin")) for (volatile int spun = 0;; spun++) {}
    if (is("print")) { puts("{\"outcome\":{\"status\":\"SEC_E_OK\"}}"); fflush(stdout); }
    if (is("stack")) { volatile char large[1 << 20]; large[0] = 1; return accept(credential, context, input, flags,
        representation, new, output, granted, expiry) + large[0]; }
    if (out && out->pvBuffer) {
        char *memory = out->pvBuffer;
        if (is("behind")) memory[out->cbBuffer] = 'X';
        if (is("before")) memset(memory - 3, 'X', 3);
    }
    if (in && is("array-before")) ((char *)in)[-1] = 'X';
    if (output && is("descriptor")) output->pBuffers = NULL;
    for (uint32_t index = 0; in && is("read-only") && index < input->cBuffers; index++)
        if (in[index].BufferType & 0x80000000 && in[index].cbBuffer) *(char *)in[index].pvBuffer = 0;
    make(new);
    return CONTINUE_NEEDED;
}

static SECURITY_STATUS initialize(SecHandle *credential, SecHandle *context, uint16_t *target, uint32_t flags,
                                  uint32_t reserved, uint32_t representation, SecBufferDesc *input,
                                  uint32_t reserved_too, SecHandle *new, SecBufferDesc *output, uint32_t *granted,
                                  int64_t *expiry) {
    (void)credential, (void)context, (void)target, (void)flags, (void)reserved, (void)representation, (void)input;
    (void)reserved_too, (void)output, (void)granted, (void)expiry;
    make(new);
    return OK;
}

static SECURITY_STATUS complete(SecHandle *context, SecBufferDesc *token) { (void)context, (void)token; return OK; }
static SECURITY_STATUS release(SecHandle *handle) { (void)handle; return OK; }
static SECURITY_STATUS query(SecHandle *context, uint32_t attribute, void *to) {
    (void)context, (void)attribute, (void)to;
    return OK;
}
static SECURITY_STATUS protect(SecHandle *context, uint32_t quality, SecBufferDesc *message, uint32_t number) {
    (void)context, (void)quality, (void)message, (void)number;
    return OK;
}
static SECURITY_STATUS unprotect(SecHandle *context, SecBufferDesc *message, uint32_t number, uint32_t *quality) {
    (void)context, (void)message, (void)number, (void)quality;
    return OK;
}
static SECURITY_STATUS free_buffer(void *memory) { (void)memory; return OK; }

struct table *InitSecurityInterfaceW(void) {
    static struct table table;
    if (is("no-table")) return NULL;
    table.version = 1;
    table.entries[2] = (void *)acquire;
    table.entries[3] = (void *)release;
    table.entries[5] = (void *)initialize;
    table.entries[ACCEPT] = (void *)accept;
    table.entries[7] = is("no-completion") ? NULL : (void *)complete;
    table.entries[8] = (void *)release;
    table.entries[10] = (void *)query;
    table.entries[13] = (void *)protect;
    table.entries[14] = (void *)unprotect;
    table.entries[15] = (void *)free_buffer;
    table.entries[24] = (void *)protect;
    table.entries[25] = (void *)unprotect;
    return &table;
}

#ifdef CONTROL
int32_t DigestSspControl(const uint8_t *request, uint32_t length, uint8_t *answer, uint32_t *room) {
    (void)request, (void)length;
    const char *text = is("answers-nonsense") ? "nonsense" : "{\"done\":{}}";
    if (is("refuses")) return 5;
    memcpy(answer, text, strlen(text));
    *room = is("answers-too-much") ? *room + 1 : (uint32_t)strlen(text);
    return 0;
}
#endif
