/* CompleteAuthToken after SEC_E_OK. Nearly so: after SEC_I_COMPLETE_NEEDED, and after it failed once. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context;
    if (is_wrong(argc, argv)) {
        context = established(&credentials);
        EXPECT(SEC_E_OUT_OF_SEQUENCE, complete(&context, buffer(SECBUFFER_TOKEN, NULL, 0), ENTITY));
    } else {
        SecBuffer response;
        context = unfinished(&credentials, &response);
        EXPECT(SEC_E_INVALID_TOKEN, complete(&context, response, ""));
        EXPECT(SEC_E_OK, complete(&context, response, ENTITY));
        free(response.pvBuffer);
    }
    clean(&context, &credentials);
    return 0;
}
