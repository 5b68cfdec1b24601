/* Callers that are wrong: whoever watches the exchanges must see it. */
#include "digest_ssp.h"

int main(void) {
    for (int number = 0; number < 10; number++) {
        SecPkgInfoA *info;
        if (QuerySecurityPackageInfoA((char *)WDIGEST_SP_NAME_A, &info) != SEC_E_OK) {
            return 0;
        }
#if defined(OVERREAD)
        if (info[100].cbMaxToken == 1) {
            return 0;
        }
#endif
#if !defined(LEAK)
        FreeContextBuffer(info);
#endif
    }
    return 0;
}
