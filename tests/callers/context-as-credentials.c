/* A context where credentials belong. Nearly so: no credentials at all, which both functions may be given. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = established(&credentials), another;
    CredHandle *passed = is_wrong(argc, argv) ? &context : NULL;
    SecBuffer asked = challenge(0), response = room(SECBUFFER_TOKEN, 4096);
    EXPECT(SEC_E_NO_CREDENTIALS, respond(passed, 0, asked, &another, &response));
    free(asked.pvBuffer);
    free(response.pvBuffer);
    clean(&context, &credentials);
    return 0;
}
