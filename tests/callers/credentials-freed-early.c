/* Credentials freed while a context made with them is in use. Nearly so: while one made with others is. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client(), others = client();
    CtxtHandle context = established(is_wrong(argc, argv) ? &credentials : &others);
    EXPECT(SEC_E_OK, FreeCredentialsHandle(&credentials));
    EXPECT(SEC_E_OK, sizes(&context));
    clean(&context, &others);
    return 0;
}
