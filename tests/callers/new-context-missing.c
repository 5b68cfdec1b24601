/* phNewContext NULL where there is a context already. Nearly so: the same place for both. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = established(&credentials);
    CtxtHandle *received = is_wrong(argc, argv) ? NULL : &context;
    SecBuffer asked[] = {challenge(0), parameter("POST"), parameter("")};
    SecBuffer response = room(SECBUFFER_TOKEN, 4096);
    SecBufferDesc in = message(asked, 3), out = message(&response, 1);
    uint32_t attributes;
    EXPECT(SEC_E_OK, InitializeSecurityContextA(&credentials, &context, (char *)TARGET, ISC_REQ_HTTP, 0, 0, &in, 0,
                                                received, &out, &attributes, NULL));
    free(asked[0].pvBuffer);
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
