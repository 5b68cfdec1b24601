/* Memory of each kind that nobody frees. Nearly so: freed, and a key that there is none of. */
#include "caller.h"

int main(int argc, char **argv) {
    int wrong = is_wrong(argc, argv);
    uint32_t count, attributes;
    SecPkgInfoA *packages, *package;
    EXPECT(SEC_E_OK, EnumerateSecurityPackagesA(&count, &packages));
    EXPECT(SEC_E_OK, QuerySecurityPackageInfoA((char *)WDIGEST_SP_NAME_A, &package));

    CredHandle accepting = server();
    SecBuffer token = buffer(SECBUFFER_TOKEN, NULL, 0);
    SecBufferDesc out = message(&token, 1);
    CtxtHandle challenged;
    EXPECT(SEC_I_CONTINUE_NEEDED, AcceptSecurityContext(&accepting, NULL, NULL, ASC_REQ_HTTP | ASC_REQ_ALLOCATE_MEMORY, 0,
                                                        &challenged, &out, &attributes, NULL));
    clean(&challenged, &accepting);

    CredHandle credentials = client();
    CtxtHandle context = established(&credentials);
    SecPkgContext_SessionKey key;
    EXPECT(SEC_E_OK, QueryContextAttributesA(&context, SECPKG_ATTR_SESSION_KEY, &key));
    SecPkgContext_NamesA names;
    EXPECT(SEC_E_OK, QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names));
    clean(&context, &credentials);
    if (!wrong) {
        EXPECT(SEC_E_OK, FreeContextBuffer(packages));
        EXPECT(SEC_E_OK, FreeContextBuffer(package));
        EXPECT(SEC_E_OK, FreeContextBuffer(token.pvBuffer));
        EXPECT(SEC_E_OK, FreeContextBuffer(key.SessionKey));
        EXPECT(SEC_E_OK, FreeContextBuffer(names.sUserName));
    }
    return 0;
}
