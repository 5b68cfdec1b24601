/* A context that nobody deletes. Nearly so: no context was made. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    if (is_wrong(argc, argv)) {
        waiting(&credentials);
    } else {
        SecBuffer response = room(SECBUFFER_TOKEN, 4096);
        CtxtHandle context;
        EXPECT(SEC_E_INVALID_TOKEN,
               respond(&credentials, 0, buffer(SECBUFFER_TOKEN, (void *)"no challenge", 12), &context, &response));
        free(response.pvBuffer);
    }
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    return 0;
}
