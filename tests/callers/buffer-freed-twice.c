/* Memory freed twice. Nearly so: two blocks, which may have the same address one after the other. */
#include "caller.h"

int main(int argc, char **argv) {
    SecPkgInfoA *package;
    EXPECT(SEC_E_OK, QuerySecurityPackageInfoA((char *)WDIGEST_SP_NAME_A, &package));
    EXPECT(SEC_E_OK, FreeContextBuffer(package));
    if (is_wrong(argc, argv)) {
        EXPECT(SEC_E_INVALID_HANDLE, FreeContextBuffer(package));
    } else {
        EXPECT(SEC_E_OK, QuerySecurityPackageInfoA((char *)WDIGEST_SP_NAME_A, &package));
        EXPECT(SEC_E_OK, FreeContextBuffer(package));
    }
    return 0;
}
