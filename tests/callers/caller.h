/* What callers of the tests have in common. Every program is a wrong caller when its argument is "wrong", and with
 * "near-miss" one that does almost the same and nothing wrong. */
#ifndef CALLER_H
#define CALLER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest_ssp.h"

#define EXPECT(expected, call) expect((expected), (call), #call, __LINE__)

static inline void expect(SECURITY_STATUS expected, SECURITY_STATUS actual, const char *call, int line) {
    if (actual != expected) {
        fprintf(stderr, "line %d: 0x%08X, expected 0x%08X: %s\n", line, (unsigned)actual, (unsigned)expected, call);
        exit(3);
    }
}

static inline int is_wrong(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "wrong") == 0) {
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "near-miss") == 0) {
        return 0;
    }
    fprintf(stderr, "wrong or near-miss?\n");
    exit(3);
}

static inline SecBuffer buffer(uint32_t type, void *memory, size_t length) {
    SecBuffer buffer = {(uint32_t)length, type, memory};
    return buffer;
}

static inline SecBuffer parameter(const char *text) {
    return buffer(SECBUFFER_PKG_PARAMS, (void *)text, strlen(text));
}

static inline SecBufferDesc message(SecBuffer *buffers, uint32_t count) {
    SecBufferDesc descriptor = {SECBUFFER_VERSION, count, buffers};
    return descriptor;
}

static inline SecBuffer room(uint32_t type, size_t length) {
    void *memory = malloc(length);
    if (memory == NULL) {
        exit(3);
    }
    return buffer(type, memory, length);
}

static inline CredHandle server(void) {
    CredHandle credentials;
    EXPECT(SEC_E_OK, AcquireCredentialsHandleA(NULL, (char *)WDIGEST_SP_NAME_A, SECPKG_CRED_INBOUND, NULL, NULL, NULL,
                                               NULL, &credentials, NULL));
    return credentials;
}

static inline CredHandle client(void) {
    SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)"chris", 5, NULL, 0, (unsigned char *)"secret", 6,
                                          SEC_WINNT_AUTH_IDENTITY_ANSI};
    CredHandle credentials;
    EXPECT(SEC_E_OK, AcquireCredentialsHandleA(NULL, (char *)WDIGEST_SP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &identity,
                                               NULL, NULL, &credentials, NULL));
    return credentials;
}

/* A challenge of some server, in memory of this program. */
static inline SecBuffer challenge(uint32_t flags) {
    CredHandle credentials = server();
    SecBuffer token = room(SECBUFFER_TOKEN, 2048);
    SecBufferDesc out = message(&token, 1);
    CtxtHandle context;
    uint32_t attributes;
    EXPECT(SEC_I_CONTINUE_NEEDED, AcceptSecurityContext(&credentials, NULL, NULL, ASC_REQ_HTTP | flags, 0, &context,
                                                        &out, &attributes, NULL));
    EXPECT(SEC_E_OK, DeleteSecurityContext(&context));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    return token;
}

static const char *const TARGET = "/dir/index.html";

/* InitializeSecurityContext for a POST whose body is not known yet. */
static inline SECURITY_STATUS respond(CredHandle *credentials, uint32_t flags, SecBuffer asked, CtxtHandle *context,
                                      SecBuffer *response) {
    SecBuffer input[] = {asked, parameter("POST"), parameter("")};
    SecBufferDesc in = message(input, 3), out = message(response, 1);
    uint32_t attributes;
    return InitializeSecurityContextA(credentials, NULL, (char *)TARGET, ISC_REQ_HTTP | flags, 0, 0, &in, 0, context,
                                      &out, &attributes, NULL);
}

/* A context that is established: the challenge asks for no more than qop=auth. */
static inline CtxtHandle established(CredHandle *credentials) {
    SecBuffer asked = challenge(0), response = room(SECBUFFER_TOKEN, 4096);
    CtxtHandle context;
    EXPECT(SEC_E_OK, respond(credentials, 0, asked, &context, &response));
    free(asked.pvBuffer);
    free(response.pvBuffer);
    return context;
}

/* A context that waits for the server's proof. */
static inline CtxtHandle waiting(CredHandle *credentials) {
    SecBuffer asked = challenge(0), response = room(SECBUFFER_TOKEN, 4096);
    CtxtHandle context;
    EXPECT(SEC_I_CONTINUE_NEEDED, respond(credentials, ISC_REQ_MUTUAL_AUTH, asked, &context, &response));
    free(asked.pvBuffer);
    free(response.pvBuffer);
    return context;
}

/* A context whose completion is due: the digest covers the body. */
static inline CtxtHandle unfinished(CredHandle *credentials, SecBuffer *response) {
    SecBuffer asked = challenge(ASC_REQ_INTEGRITY);
    CtxtHandle context;
    *response = room(SECBUFFER_TOKEN, 4096);
    EXPECT(SEC_I_COMPLETE_NEEDED, respond(credentials, ISC_REQ_INTEGRITY, asked, &context, response));
    free(asked.pvBuffer);
    return context;
}

/* The body is empty: MD5 of nothing, RFC 1321 section A.5. */
static const char *const ENTITY = "d41d8cd98f00b204e9800998ecf8427e";

static inline SECURITY_STATUS complete(CtxtHandle *context, SecBuffer response, const char *entity) {
    SecBuffer whole[] = {response, parameter("POST"), parameter(TARGET), parameter(entity)};
    SecBufferDesc token = message(whole, 4);
    return CompleteAuthToken(context, &token);
}

static inline SECURITY_STATUS sizes(CtxtHandle *context) {
    SecPkgContext_Sizes sizes;
    return QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes);
}

/* Whichever error it is. */
static inline void refused(SECURITY_STATUS status) {
    if (status >= 0) {
        fprintf(stderr, "0x%08X is no error\n", (unsigned)status);
        exit(3);
    }
}

/* What a context has whatever became of it. */
static inline void package_info(CtxtHandle *context) {
    SecPkgContext_PackageInfoA info;
    if (QueryContextAttributesA(context, SECPKG_ATTR_PACKAGE_INFO, &info) == SEC_E_OK) {
        EXPECT(SEC_E_OK, FreeContextBuffer(info.PackageInfo));
    }
}

static inline void clean(CtxtHandle *context, CredHandle *credentials) {
    EXPECT(SEC_E_OK, DeleteSecurityContext(context));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(credentials));
}

#endif
