/* A context in use after the server failed to prove itself. Nearly so: deleted. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = waiting(&credentials);
    SecBuffer proof[] = {buffer(SECBUFFER_TOKEN, (void *)"rspauth", 7), parameter("POST"), parameter("")};
    SecBuffer nothing = room(SECBUFFER_TOKEN, 64);
    SecBufferDesc in = message(proof, 3), out = message(&nothing, 1);
    uint32_t attributes;
    refused(InitializeSecurityContextA(&credentials, &context, (char *)TARGET, ISC_REQ_HTTP | ISC_REQ_MUTUAL_AUTH, 0, 0,
                                       &in, 0, &context, &out, &attributes, NULL));
    free(nothing.pvBuffer);
    if (is_wrong(argc, argv)) {
        refused(sizes(&context));
    }
    clean(&context, &credentials);
    return 0;
}
