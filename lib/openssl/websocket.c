/* What a WebSocket's upgrade takes from libcrypto: base64, and SHA-1 (which proves nothing here). */
#include <leat/openssl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>

/* Source: RFC 6455, section 1.3. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#define SHA1_BYTES 20

void leat_websocket_key(const uint8_t random[16], char key[25])
{
    (void)EVP_EncodeBlock((unsigned char *)key, random, 16);
}

static bool digest(EVP_MD_CTX *hash, const char *key, size_t length, uint8_t *sum)
{
    return EVP_DigestInit_ex(hash, EVP_sha1(), NULL) == 1 &&
           EVP_DigestUpdate(hash, key, length) == 1 &&
           EVP_DigestUpdate(hash, guid, sizeof guid - 1) == 1 &&
           EVP_DigestFinal_ex(hash, sum, NULL) == 1;
}

/* Of memory that there was not OpenSSL mostly says nothing; that nobody provides a digest, always. */
static int refusal(void)
{
#ifdef ERR_R_UNSUPPORTED /* since OpenSSL 3 */
    if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED)
        return LEAT_E_TLS;
#endif
    return LEAT_E_NOMEM;
}

int leat_websocket_accept_value(const char *key, size_t length, char accept[29])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t sum[SHA1_BYTES];
    int status = LEAT_E_NOMEM;

    ERR_clear_error();
    if (hash != NULL)
        status = digest(hash, key, length, sum) ? LEAT_OK : refusal();
    EVP_MD_CTX_free(hash);
    ERR_clear_error();
    if (status == LEAT_OK)
        (void)EVP_EncodeBlock((unsigned char *)accept, sum, SHA1_BYTES);
    return status;
}
