/* Credentials freed twice. Nearly so: two of the same name, each once. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    if (is_wrong(argc, argv)) {
        EXPECT(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(&credentials));
    } else {
        credentials = client();
        EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    }
    return 0;
}
