/* The credentials completed in place of the context, which is completed too. Nearly so: the context alone. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    SecBuffer response;
    CtxtHandle context = unfinished(&credentials, &response);
    if (is_wrong(argc, argv)) {
        EXPECT(SEC_E_INVALID_HANDLE, complete(&credentials, response, ENTITY));
    }
    EXPECT(SEC_E_OK, complete(&context, response, ENTITY));
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
