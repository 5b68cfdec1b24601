/* A first call that failed, and its status not looked at. Nearly so: looked at. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    SecBuffer response = room(SECBUFFER_TOKEN, 4096);
    CtxtHandle context;
    EXPECT(SEC_E_INVALID_TOKEN,
           respond(&credentials, 0, buffer(SECBUFFER_TOKEN, (void *)"no challenge", 12), &context, &response));
    if (is_wrong(argc, argv)) {
        EXPECT(SEC_E_INVALID_HANDLE, DeleteSecurityContext(&context));
    }
    free(response.pvBuffer);
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    return 0;
}
