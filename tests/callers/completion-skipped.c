/* A context in use although its completion is due. Nearly so: asked for what it has before that. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    SecBuffer response;
    CtxtHandle context = unfinished(&credentials, &response);
    if (is_wrong(argc, argv)) {
        refused(sizes(&context));
    } else {
        package_info(&context);
    }
    EXPECT(SEC_E_OK, complete(&context, response, ENTITY));
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
