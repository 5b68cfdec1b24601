/* What the libraries here that are wrong on purpose share: the types of SSPI, and which wrong they do. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STRING(x) #x
#define TEXT(x) STRING(x)

typedef int32_t SECURITY_STATUS;
typedef struct { uintptr_t dwLower, dwUpper; } SecHandle;
typedef struct { uint32_t cbBuffer, BufferType; void *pvBuffer; } SecBuffer;
typedef struct { uint32_t ulVersion, cBuffers; SecBuffer *pBuffers; } SecBufferDesc;
typedef SECURITY_STATUS Accept(SecHandle *, SecHandle *, SecBufferDesc *, uint32_t, uint32_t, SecHandle *, SecBufferDesc *,
                               uint32_t *, int64_t *);

enum { OK = 0, CONTINUE_NEEDED = 0x00090312, COMPLETE_NEEDED = 0x00090313 };

/* SecurityFunctionTable. */
struct table {
    uint32_t version;
    void *entries[31];
};
enum { ACCEPT = 6 };

/* Whether it does that: MODE, a macro, or else the environment variable DIGEST_SSP_HOSTILE says so. */
static int is(const char *mode) {
#ifdef MODE
    return strcmp(TEXT(MODE), mode) == 0;
#else
    const char *chosen = getenv("DIGEST_SSP_HOSTILE");
    return chosen && strcmp(chosen, mode) == 0;
#endif
}

static SecBuffer *first(SecBufferDesc *descriptor) {
    return descriptor && descriptor->pBuffers && descriptor->cBuffers ? descriptor->pBuffers : NULL;
}
