/* A server and a client that do everything right: HTTP with a request that CompleteAuthToken completes, SASL with
 * messages. What must stand in no trace is printed, a line for each secret. */
#include "caller.h"

static void secret(const void *octets, size_t length) {
    for (size_t index = 0; index < length; index++) {
        printf("%02x", ((const unsigned char *)octets)[index]);
    }
    puts("");
}

/* The 32 digits behind response= or rspauth=, which may be quoted. */
static void digits(const SecBuffer *token, const char *name) {
    char text[4097] = {0};
    memcpy(text, token->pvBuffer, token->cbBuffer < 4096 ? token->cbBuffer : 4096);
    const char *found = strstr(text, name);
    if (found == NULL) {
        exit(3);
    }
    found += strlen(name);
    printf("%.32s\n", found + (*found == '"'));
}

static void http(void) {
    CredHandle accepting = server(), initiating = client();
    uint32_t attributes;
    SecBuffer asked = buffer(SECBUFFER_TOKEN, NULL, 0), response = room(SECBUFFER_TOKEN, 4096);
    SecBufferDesc in, out = message(&asked, 1);
    CtxtHandle challenged, context;
    EXPECT(SEC_I_CONTINUE_NEEDED, AcceptSecurityContext(&accepting, NULL, NULL, ASC_REQ_HTTP | ASC_REQ_ALLOCATE_MEMORY, 0,
                                                        &challenged, &out, &attributes, NULL));
    EXPECT(SEC_E_OK, respond(&initiating, 0, asked, &context, &response));
    EXPECT(SEC_E_OK, FreeContextBuffer(asked.pvBuffer));
    digits(&response, "response=");

    SecBuffer answered[] = {response, parameter("POST"), parameter(""), parameter("")};
    SecBuffer info = room(SECBUFFER_TOKEN, 512);
    in = message(answered, 4), out = message(&info, 1);
    EXPECT(SEC_E_OK, AcceptSecurityContext(&accepting, &challenged, &in, ASC_REQ_HTTP, 0, &challenged, &out, &attributes,
                                           NULL));
    digits(&info, "rspauth=");
    free(response.pvBuffer);

    /* The next request of the session, for which the server completes. */
    SecBuffer next[] = {buffer(SECBUFFER_TOKEN, NULL, 0), parameter("POST"), parameter(TARGET), parameter(""),
                        room(SECBUFFER_PADDING, 4096)};
    SecBufferDesc signature = message(next, 5);
    EXPECT(SEC_E_OK, MakeSignature(&context, 0, &signature, 0));
    digits(&next[4], "response=");
    CtxtHandle further;
    SecBuffer request[] = {buffer(SECBUFFER_TOKEN, next[4].pvBuffer, next[4].cbBuffer), parameter("POST"),
                           parameter(TARGET), parameter(""), buffer(SECBUFFER_TOKEN, info.pvBuffer, 512)};
    in = message(request, 4);
    EXPECT(SEC_I_COMPLETE_NEEDED,
           AcceptSecurityContext(&accepting, NULL, &in, ASC_REQ_HTTP, 0, &further, NULL, &attributes, NULL));
    in = message(request, 5);
    EXPECT(SEC_E_OK, CompleteAuthToken(&further, &in));
    digits(&request[4], "rspauth=");
    SecPkgContext_SessionKey key;
    EXPECT(SEC_E_OK, QueryContextAttributesA(&further, SECPKG_ATTR_SESSION_KEY, &key));
    secret(key.SessionKey, key.SessionKeyLength);
    EXPECT(SEC_E_OK, FreeContextBuffer(key.SessionKey));
    free(info.pvBuffer);
    free(next[4].pvBuffer);
    EXPECT(SEC_E_OK, DeleteSecurityContext(&further));
    EXPECT(SEC_E_OK, DeleteSecurityContext(&challenged));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&accepting));
    clean(&context, &initiating);
}

static const char TEXT[] = "the plaintext of a message";

static void sasl(void) {
    CredHandle accepting = server(), initiating = client();
    CtxtHandle challenged, context;
    uint32_t attributes, protection;
    SecBuffer asked = room(SECBUFFER_TOKEN, 2048), response = room(SECBUFFER_TOKEN, 4096);
    SecBuffer proof = room(SECBUFFER_TOKEN, 40), nothing = buffer(SECBUFFER_TOKEN, NULL, 0);
    SecBufferDesc in, out = message(&asked, 1);
    EXPECT(SEC_I_CONTINUE_NEEDED, AcceptSecurityContext(&accepting, NULL, NULL, ASC_REQ_CONFIDENTIALITY, 0, &challenged,
                                                        &out, &attributes, NULL));
    in = message(&asked, 1), out = message(&response, 1);
    EXPECT(SEC_I_CONTINUE_NEEDED,
           InitializeSecurityContextA(&initiating, NULL, (char *)"imap/host", ISC_REQ_CONFIDENTIALITY, 0, 0, &in, 0,
                                      &context, &out, &attributes, NULL));
    digits(&response, "response=");
    in = message(&response, 1), out = message(&proof, 1);
    EXPECT(SEC_E_OK, AcceptSecurityContext(&accepting, &challenged, &in, ASC_REQ_CONFIDENTIALITY, 0, &challenged, &out,
                                           &attributes, NULL));
    digits(&proof, "rspauth=");
    in = message(&proof, 1), out = message(&nothing, 1);
    EXPECT(SEC_E_OK, InitializeSecurityContextA(&initiating, &context, (char *)"imap/host", ISC_REQ_CONFIDENTIALITY, 0, 0,
                                                &in, 0, &context, &out, &attributes, NULL));
    free(asked.pvBuffer);
    free(response.pvBuffer);
    free(proof.pvBuffer);

    SecBuffer wrapping[] = {room(SECBUFFER_DATA, 64), room(SECBUFFER_PADDING, 64)};
    memcpy(wrapping[0].pvBuffer, TEXT, sizeof TEXT);
    wrapping[0].cbBuffer = sizeof TEXT;
    SecBufferDesc whole = message(wrapping, 2);
    EXPECT(SEC_E_OK, EncryptMessage(&context, 0, &whole, 0));
    SecBuffer wire = room(SECBUFFER_DATA, wrapping[0].cbBuffer + wrapping[1].cbBuffer);
    memcpy(wire.pvBuffer, wrapping[0].pvBuffer, wrapping[0].cbBuffer);
    memcpy((char *)wire.pvBuffer + wrapping[0].cbBuffer, wrapping[1].pvBuffer, wrapping[1].cbBuffer);
    whole = message(&wire, 1);
    EXPECT(SEC_E_OK, DecryptMessage(&challenged, &whole, 0, &protection));
    secret(wire.pvBuffer, wire.cbBuffer);
    puts(TEXT);
    free(wire.pvBuffer);
    free(wrapping[0].pvBuffer);
    free(wrapping[1].pvBuffer);
    clean(&challenged, &accepting);
    clean(&context, &initiating);
}

int main(void) {
    http();
    sasl();
    return 0;
}
