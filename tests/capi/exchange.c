/* Whole exchanges by the functions of sspi.h, client and server in one process: HTTP by name and in bytes, SASL by the
 * table and in UTF-16. Run under valgrind, which sees what no status tells: a byte too many, memory that stays behind.
 *
 * Buffers are allocated to the byte and what only the package writes is not initialised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest_ssp.h"

#define EXPECT(expected, call) expect((expected), (call), #call, __LINE__)
#define REQUIRE(condition) require((condition), #condition, __LINE__)

static void expect(SECURITY_STATUS expected, SECURITY_STATUS actual, const char *call, int line) {
    if (actual != expected) {
        fprintf(stderr, "line %d: 0x%08X, expected 0x%08X: %s\n", line, (unsigned)actual, (unsigned)expected, call);
        exit(1);
    }
}

static void require(int condition, const char *text, int line) {
    if (!condition) {
        fprintf(stderr, "line %d: not so: %s\n", line, text);
        exit(1);
    }
}

static SecBuffer buffer(uint32_t type, void *memory, size_t length) {
    SecBuffer buffer = {(uint32_t)length, type, memory};
    return buffer;
}

static SecBuffer parameter(const char *text) {
    return buffer(SECBUFFER_PKG_PARAMS, (void *)text, strlen(text));
}

static SecBufferDesc message(SecBuffer *buffers, uint32_t count) {
    SecBufferDesc descriptor = {SECBUFFER_VERSION, count, buffers};
    return descriptor;
}

/* Room that nobody initialised. */
static SecBuffer room(uint32_t type, size_t length) {
    void *memory = malloc(length);
    REQUIRE(memory != NULL);
    return buffer(type, memory, length);
}

/* The text of a token, to look into. */
static char *text_of(const SecBuffer *token) {
    char *text = malloc(token->cbBuffer + 1);
    REQUIRE(text != NULL);
    memcpy(text, token->pvBuffer, token->cbBuffer);
    text[token->cbBuffer] = 0;
    return text;
}

static int has(const SecBuffer *token, const char *part) {
    char *text = text_of(token);
    int found = strstr(text, part) != NULL;
    free(text);
    return found;
}

/* ---- HTTP, as a server with several connections and a client that stays */

static const char *const TARGET = "/dir/index.html";

/* A request to a session that exists: AcceptSecurityContext without a handle, then CompleteAuthToken. */
static SECURITY_STATUS request(CredHandle *server, SecBuffer *token, const char *method, CtxtHandle *context) {
    SecBuffer input[] = {*token, parameter(method), parameter(""), parameter("")};
    SecBufferDesc in = message(input, 4);
    uint32_t attributes = 0;
    EXPECT(SEC_I_COMPLETE_NEEDED, AcceptSecurityContext(server, NULL, &in, ASC_REQ_HTTP, SECURITY_NATIVE_DREP, context,
                                                        NULL, &attributes, NULL));
    /* Constant memory that nothing says is constant: the package leaves it alone. */
    SecBuffer info = room(SECBUFFER_TOKEN, 512);
    SecBuffer whole[] = {*token, parameter(method), parameter(TARGET), parameter(""), info};
    SecBufferDesc completed = message(whole, 5);
    SECURITY_STATUS status = CompleteAuthToken(context, &completed);
    if (status == SEC_E_OK) {
        REQUIRE(has(&whole[4], "rspauth="));
    } else if (status == SEC_E_OUT_OF_SEQUENCE) {
        REQUIRE(has(&whole[4], "stale=true"));
    } else {
        REQUIRE(whole[4].cbBuffer == 512);
    }
    REQUIRE(whole[0].cbBuffer == token->cbBuffer && whole[0].pvBuffer == token->pvBuffer);
    free(info.pvBuffer);
    return status;
}

static void http(void) {
    SecPkgInfoA *packages = NULL;
    uint32_t count = 0;
    EXPECT(SEC_E_OK, EnumerateSecurityPackagesA(&count, &packages));
    REQUIRE(count == 1 && strcmp(packages[0].Name, WDIGEST_SP_NAME_A) == 0 && packages[0].cbMaxToken == 4096);
    EXPECT(SEC_E_OK, FreeContextBuffer(packages));
    EXPECT(SEC_E_INVALID_HANDLE, FreeContextBuffer(packages));

    CredHandle server, client;
    TimeStamp expiry;
    EXPECT(SEC_E_OK, AcquireCredentialsHandleA(NULL, (char *)"wdigest", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                               &server, &expiry));
    REQUIRE(expiry.QuadPart == INT64_MAX);
    SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)"Mufasa", 6, NULL, 0, (unsigned char *)"Circle Of Life", 14,
                                          SEC_WINNT_AUTH_IDENTITY_ANSI};
    EXPECT(SEC_E_OK, AcquireCredentialsHandleA(NULL, (char *)WDIGEST_SP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &identity,
                                               NULL, NULL, &client, NULL));

    /* The challenge, in memory that the package allocates; the realm is UTF-16. */
    SecBuffer asked[] = {buffer(SECBUFFER_TOKEN, NULL, 0), parameter("GET"), parameter(""), parameter(""),
                         buffer(SECBUFFER_PKG_PARAMS, (void *)u"testrealm@host.com", 36)};
    SecBuffer challenge = buffer(SECBUFFER_TOKEN, NULL, 0);
    SecBufferDesc in = message(asked, 5), out = message(&challenge, 1);
    CtxtHandle accepting, initiating;
    uint32_t attributes = 0;
    EXPECT(SEC_I_CONTINUE_NEEDED,
           AcceptSecurityContext(&server, NULL, &in, ASC_REQ_HTTP | ASC_REQ_ALLOCATE_MEMORY, SECURITY_NATIVE_DREP,
                                 &accepting, &out, &attributes, &expiry));
    REQUIRE((attributes & ASC_RET_ALLOCATED_MEMORY) != 0);
    REQUIRE(challenge.cbBuffer > 0 && challenge.cbBuffer < 2048 && has(&challenge, "realm=\"testrealm@host.com\""));

    /* The response. */
    SecBuffer challenged[] = {challenge, parameter("GET"), parameter("")};
    SecBuffer response = room(SECBUFFER_TOKEN, 4096);
    in = message(challenged, 3), out = message(&response, 1);
    EXPECT(SEC_E_OK, InitializeSecurityContextA(&client, NULL, (char *)TARGET, ISC_REQ_HTTP, 0, SECURITY_NATIVE_DREP,
                                                &in, 0, &initiating, &out, &attributes, NULL));
    REQUIRE(has(&response, "username=\"Mufasa\"") && has(&response, "uri=\"/dir/index.html\""));
    EXPECT(SEC_E_OK, FreeContextBuffer(challenge.pvBuffer));

    /* It is right; the server proves itself. */
    SecBuffer answered[] = {response, parameter("GET"), parameter(""), parameter("")};
    SecBuffer info = room(SECBUFFER_TOKEN, 512);
    in = message(answered, 4), out = message(&info, 1);
    EXPECT(SEC_E_OK, AcceptSecurityContext(&server, &accepting, &in, ASC_REQ_HTTP, SECURITY_NATIVE_DREP, &accepting,
                                           &out, &attributes, NULL));
    REQUIRE(info.cbBuffer < 512 && has(&info, "rspauth="));
    free(info.pvBuffer);
    free(response.pvBuffer);

    SecPkgContext_NamesA names;
    EXPECT(SEC_E_OK, QueryContextAttributesA(&accepting, SECPKG_ATTR_NAMES, &names));
    REQUIRE(strcmp(names.sUserName, "Mufasa") == 0);
    EXPECT(SEC_E_OK, FreeContextBuffer(names.sUserName));

    /* Two further requests by MakeSignature, completed by CompleteAuthToken. */
    CtxtHandle further;
    for (int number = 2; number <= 3; number++) {
        SecBuffer next[] = {buffer(SECBUFFER_TOKEN, NULL, 0), parameter("GET"), parameter(TARGET), parameter(""),
                            room(SECBUFFER_PADDING, 4096)};
        SecBufferDesc signature = message(next, 5);
        EXPECT(SEC_E_OK, MakeSignature(&initiating, 0, &signature, 0));
        char nc[] = "nc=0000000?";
        nc[10] = (char)('0' + number);
        SecBuffer token = buffer(SECBUFFER_TOKEN, next[4].pvBuffer, next[4].cbBuffer);
        REQUIRE(has(&token, nc));
        EXPECT(SEC_E_OK, request(&server, &token, "GET", &further));
        EXPECT(SEC_E_OK, DeleteSecurityContext(&further));
        /* The same again is a replay, and another method is another request. */
        EXPECT(SEC_E_OUT_OF_SEQUENCE, request(&server, &token, "GET", &further));
        EXPECT(SEC_E_OK, DeleteSecurityContext(&further));
        EXPECT(SEC_E_MESSAGE_ALTERED, request(&server, &token, "PUT", &further));
        EXPECT(SEC_E_OK, DeleteSecurityContext(&further));
        free(next[4].pvBuffer);
    }

    EXPECT(SEC_E_OUT_OF_SEQUENCE, CompleteAuthToken(&accepting, NULL));
    EXPECT(SEC_E_OK, DeleteSecurityContext(&accepting));
    EXPECT(SEC_E_OK, DeleteSecurityContext(&initiating));
    EXPECT(SEC_E_INVALID_HANDLE, CompleteAuthToken(&accepting, NULL));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&server));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&client));
    EXPECT(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(&client));
}

/* ---- SASL, by the table */

static const char TEXT[] = "a message of some length, and not of a multiple of eight";

/* Wraps TEXT and unwraps it: as a STREAM with an empty DATA that then points into it. */
static void send_message(SecurityFunctionTableW *sspi, CtxtHandle *from, CtxtHandle *to, uint32_t trailer, uint32_t qop) {
    size_t length = sizeof TEXT - 1;
    char *data = malloc(length);
    REQUIRE(data != NULL);
    memcpy(data, TEXT, length);
    SecBuffer wrapping[] = {buffer(SECBUFFER_DATA, data, length), room(SECBUFFER_PADDING, trailer)};
    SecBufferDesc whole = message(wrapping, 2);
    EXPECT(SEC_E_QOP_NOT_SUPPORTED, sspi->EncryptMessage(from, SECQOP_WRAP_NO_ENCRYPT, &whole, 0));
    EXPECT(SEC_E_OK, sspi->EncryptMessage(from, 0, &whole, 0));
    REQUIRE((memcmp(data, TEXT, length) == 0) == (qop == SIGN_ONLY));

    size_t wire = wrapping[0].cbBuffer + wrapping[1].cbBuffer;
    char *stream = malloc(wire);
    REQUIRE(stream != NULL);
    memcpy(stream, data, wrapping[0].cbBuffer);
    memcpy(stream + wrapping[0].cbBuffer, wrapping[1].pvBuffer, wrapping[1].cbBuffer);
    SecBuffer unwrapping[] = {buffer(SECBUFFER_STREAM, stream, wire), buffer(SECBUFFER_DATA, NULL, 0)};
    whole = message(unwrapping, 2);
    uint32_t protection = 1;
    EXPECT(SEC_E_OK, sspi->DecryptMessage(to, &whole, 0, &protection));
    REQUIRE(protection == qop);
    REQUIRE(unwrapping[1].pvBuffer == stream && unwrapping[1].cbBuffer == length);
    REQUIRE(memcmp(unwrapping[1].pvBuffer, TEXT, length) == 0);
    /* The same again is out of sequence, or what it decrypts to is nothing. */
    unwrapping[0].cbBuffer = (uint32_t)wire;
    REQUIRE(sspi->DecryptMessage(to, &whole, 0, &protection) != SEC_E_OK);
    free(stream);
    free(data);
    free(wrapping[1].pvBuffer);
}

static void sasl(uint32_t asc, uint32_t isc, uint32_t qop) {
    SecurityFunctionTableW *sspi = InitSecurityInterfaceW();
    REQUIRE(sspi != NULL && sspi->dwVersion == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5);
    CredHandle server, client;
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {SEC_WINNT_AUTH_IDENTITY_VERSION, sizeof identity, (uint16_t *)u"chris", 5,
                                            NULL, 0, (uint16_t *)u"secret", 6, SEC_WINNT_AUTH_IDENTITY_UNICODE, NULL, 0};
    uint16_t *package = (uint16_t *)WDIGEST_SP_NAME_W;
    EXPECT(SEC_E_OK, sspi->AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &server,
                                                     NULL));
    EXPECT(SEC_E_OK, sspi->AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                     &client, NULL));

    CtxtHandle accepting, initiating;
    uint32_t attributes;
    SecBuffer challenge = room(SECBUFFER_TOKEN, 2048);
    SecBufferDesc out = message(&challenge, 1);
    EXPECT(SEC_I_CONTINUE_NEEDED, sspi->AcceptSecurityContext(&server, NULL, NULL, asc, SECURITY_NETWORK_DREP,
                                                              &accepting, &out, &attributes, NULL));

    uint16_t *target = (uint16_t *)u"imap/elwood.innosoft.com";
    SecBuffer response = buffer(SECBUFFER_TOKEN, NULL, 0);
    SecBufferDesc in = message(&challenge, 1);
    out = message(&response, 1);
    EXPECT(SEC_I_CONTINUE_NEEDED,
           sspi->InitializeSecurityContextW(&client, NULL, target, isc | ISC_REQ_ALLOCATE_MEMORY, 0,
                                            SECURITY_NETWORK_DREP, &in, 0, &initiating, &out, &attributes, NULL));
    REQUIRE((attributes & ISC_RET_ALLOCATED_MEMORY) != 0 && has(&response, "digest-uri=\"imap/elwood.innosoft.com\""));
    free(challenge.pvBuffer);

    /* The proof needs room, and asking for it again is no second try. */
    SecBuffer proof = room(SECBUFFER_TOKEN, 40);
    proof.cbBuffer = 8;
    in = message(&response, 1), out = message(&proof, 1);
    EXPECT(SEC_E_INSUFFICIENT_MEMORY, sspi->AcceptSecurityContext(&server, &accepting, &in, asc, SECURITY_NETWORK_DREP,
                                                                  &accepting, &out, &attributes, NULL));
    proof.cbBuffer = 40;
    EXPECT(SEC_E_OK, sspi->AcceptSecurityContext(&server, &accepting, &in, asc, SECURITY_NETWORK_DREP, &accepting, &out,
                                                 &attributes, NULL));
    REQUIRE(proof.cbBuffer == 40 && has(&proof, "rspauth="));
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(response.pvBuffer));

    /* Nothing is left to say: no memory is allocated for it. */
    SecBuffer nothing = buffer(SECBUFFER_TOKEN, &attributes, sizeof attributes);
    in = message(&proof, 1), out = message(&nothing, 1);
    EXPECT(SEC_E_OK, sspi->InitializeSecurityContextW(&client, &initiating, target, isc | ISC_REQ_ALLOCATE_MEMORY, 0,
                                                      SECURITY_NETWORK_DREP, &in, 0, &initiating, &out, &attributes,
                                                      NULL));
    REQUIRE(nothing.cbBuffer == 0 && nothing.pvBuffer == NULL && (attributes & ISC_RET_ALLOCATED_MEMORY) == 0);
    free(proof.pvBuffer);

    SecPkgContext_StreamSizes sizes;
    EXPECT(SEC_E_OK, sspi->QueryContextAttributesW(&initiating, SECPKG_ATTR_STREAM_SIZES, &sizes));
    SecPkgContext_KeyInfoW key;
    EXPECT(SEC_E_OK, sspi->QueryContextAttributesW(&initiating, SECPKG_ATTR_KEY_INFO, &key));
    REQUIRE(memcmp(key.sSignatureAlgorithmName, u"HMAC-MD5", 18) == 0);
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(key.sSignatureAlgorithmName));
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(key.sEncryptAlgorithmName));
    SecPkgContext_PackageInfoW info;
    EXPECT(SEC_E_OK, sspi->QueryContextAttributesW(&accepting, SECPKG_ATTR_PACKAGE_INFO, &info));
    REQUIRE(memcmp(info.PackageInfo->Name, u"WDigest", 16) == 0);
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(info.PackageInfo));
    SecPkgContext_SessionKey mine, theirs;
    EXPECT(SEC_E_OK, sspi->QueryContextAttributesW(&accepting, SECPKG_ATTR_SESSION_KEY, &mine));
    EXPECT(SEC_E_OK, sspi->QueryContextAttributesW(&initiating, SECPKG_ATTR_SESSION_KEY, &theirs));
    REQUIRE(mine.SessionKeyLength == 16 && theirs.SessionKeyLength == 16);
    REQUIRE(memcmp(mine.SessionKey, theirs.SessionKey, 16) == 0);
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(mine.SessionKey));
    EXPECT(SEC_E_OK, sspi->FreeContextBuffer(theirs.SessionKey));

    /* Signed both ways; only what was signed verifies. */
    SecBuffer signing[] = {buffer(SECBUFFER_DATA, (void *)TEXT, sizeof TEXT - 1), room(SECBUFFER_TOKEN, 16)};
    SecBufferDesc whole = message(signing, 2);
    EXPECT(SEC_E_OK, sspi->MakeSignature(&initiating, 0, &whole, 0));
    uint32_t protection = 1;
    signing[0].cbBuffer--;
    EXPECT(SEC_E_MESSAGE_ALTERED, sspi->VerifySignature(&accepting, &whole, 0, &protection));
    signing[0].cbBuffer++;
    EXPECT(SEC_E_OK, sspi->VerifySignature(&accepting, &whole, 0, &protection));
    REQUIRE(protection == 0);
    free(signing[1].pvBuffer);

    /* A replay may end a direction, so each direction is used once. */
    send_message(sspi, &accepting, &initiating, sizes.cbTrailer, qop);
    send_message(sspi, &initiating, &accepting, sizes.cbTrailer, qop);

    EXPECT(SEC_E_UNSUPPORTED_FUNCTION, sspi->ImpersonateSecurityContext(&accepting));
    EXPECT(SEC_E_OK, sspi->DeleteSecurityContext(&accepting));
    EXPECT(SEC_E_OK, sspi->DeleteSecurityContext(&initiating));
    EXPECT(SEC_E_OK, sspi->FreeCredentialsHandle(&server));
    EXPECT(SEC_E_OK, sspi->FreeCredentialsHandle(&client));
}

int main(void) {
    http();
    sasl(ASC_REQ_INTEGRITY, ISC_REQ_INTEGRITY, SIGN_ONLY);
    sasl(ASC_REQ_CONFIDENTIALITY, ISC_REQ_CONFIDENTIALITY, 0);
    puts("every exchange as expected");
    return 0;
}
