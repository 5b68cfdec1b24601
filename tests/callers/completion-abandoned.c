/* A context deleted although its completion is due. Nearly so: after the completion failed. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    SecBuffer response;
    CtxtHandle context = unfinished(&credentials, &response);
    if (!is_wrong(argc, argv)) {
        EXPECT(SEC_E_INVALID_TOKEN, complete(&context, response, ""));
    }
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
