/* A context in use after its completion failed. Nearly so: after it was tried again and succeeded. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    SecBuffer response;
    CtxtHandle context = unfinished(&credentials, &response);
    EXPECT(SEC_E_INVALID_TOKEN, complete(&context, response, ""));
    if (is_wrong(argc, argv)) {
        refused(sizes(&context));
    } else {
        EXPECT(SEC_E_OK, complete(&context, response, ENTITY));
        EXPECT(SEC_E_OK, sizes(&context));
    }
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
