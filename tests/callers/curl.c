/* What lib/vauth/digest_sspi.c of curl does (Curl_auth_create_digest_http_message, Curl_auth_digest_cleanup): it
 * completes the credentials in place of the context, with the token alone, looks at no status, and frees the credentials
 * while the context lives. With "near-miss" it completes as it should. */
#include "caller.h"

int main(int argc, char **argv) {
    int wrong = is_wrong(argc, argv);
    SecPkgInfoA *package;
    EXPECT(SEC_E_OK, QuerySecurityPackageInfoA((char *)WDIGEST_SP_NAME_A, &package));
    size_t most = package->cbMaxToken;
    FreeContextBuffer(package);

    SecBuffer asked = challenge(ASC_REQ_INTEGRITY), response = room(SECBUFFER_TOKEN, most);
    CredHandle credentials = client();
    CtxtHandle context;
    SECURITY_STATUS status = respond(&credentials, ISC_REQ_INTEGRITY, asked, &context, &response);
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        if (wrong) {
            SecBufferDesc token = message(&response, 1);
            CompleteAuthToken(&credentials, &token);
        } else {
            EXPECT(SEC_E_OK, complete(&context, response, ENTITY));
        }
    }
    FreeCredentialsHandle(&credentials);
    free(asked.pvBuffer);
    free(response.pvBuffer);
    DeleteSecurityContext(&context);
    return 0;
}
