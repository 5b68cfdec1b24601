/* Memory of the caller freed as the package's. Nearly so: NULL, of which no page speaks. */
#include "caller.h"

int main(int argc, char **argv) {
    char own[16];
    EXPECT(SEC_E_INVALID_HANDLE, FreeContextBuffer(is_wrong(argc, argv) ? own : NULL));
    return 0;
}
