/* A context deleted twice. Nearly so: two contexts, each once. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = established(&credentials);
    EXPECT(SEC_E_OK, DeleteSecurityContext(&context));
    if (!is_wrong(argc, argv)) {
        context = established(&credentials);
    }
    EXPECT(SEC_E_OK, DeleteSecurityContext(&context));
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    return 0;
}
