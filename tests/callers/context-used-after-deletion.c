/* A context in use after it was deleted. Nearly so: another one, whose handle is in the same place. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = established(&credentials);
    EXPECT(SEC_E_OK, DeleteSecurityContext(&context));
    if (is_wrong(argc, argv)) {
        refused(sizes(&context));
    } else {
        context = established(&credentials);
        EXPECT(SEC_E_OK, sizes(&context));
        EXPECT(SEC_E_OK, DeleteSecurityContext(&context));
    }
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    return 0;
}
