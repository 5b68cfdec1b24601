/* Credentials that nobody frees. Nearly so: none were given. */
#include "caller.h"

int main(int argc, char **argv) {
    if (is_wrong(argc, argv)) {
        client();
        return 0;
    }
    CredHandle credentials;
    EXPECT(SEC_E_SECPKG_NOT_FOUND, AcquireCredentialsHandleA(NULL, (char *)"Kerberos", SECPKG_CRED_INBOUND, NULL, NULL,
                                                             NULL, NULL, &credentials, NULL));
    return 0;
}
