/* SEC_I_CONTINUE_NEEDED taken for the end. Nearly so: asked for what a context has before that. */
#include "caller.h"

int main(int argc, char **argv) {
    CredHandle credentials = client();
    CtxtHandle context = waiting(&credentials);
    if (is_wrong(argc, argv)) {
        refused(sizes(&context));
    } else {
        package_info(&context);
    }
    clean(&context, &credentials);
    return 0;
}
