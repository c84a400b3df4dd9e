/* Digests: libcrypto's SHA-256 behind four verbs. */
#include "ledger/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "kpi/canon.h"
#include "ledger/sql.h"

struct digest {
    EVP_MD_CTX *context;
    struct text_buffer line;    /* kept from row to row */
};

/* libcrypto fails only without memory, and we end without memory. */
static void must(int well)
{
    if (!well)
        log_fatal("SHA-256: no memory");
}

struct digest *digest_create(void)
{
    struct digest *d = mem_zalloc(sizeof *d);

    d->context = EVP_MD_CTX_new();
    must(d->context != NULL);
    digest_reset(d);
    return d;
}

void digest_destroy(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->context);
    text_buffer_finish(&d->line);
    free(d);
}

void digest_reset(struct digest *d)
{
    must(EVP_DigestInit_ex(d->context, EVP_sha256(), NULL));
}

void digest_add(struct digest *d, const void *bytes, size_t length)
{
    must(EVP_DigestUpdate(d->context, bytes, length));
}

void digest_value(const struct digest *d, char ret[DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *copy = EVP_MD_CTX_new();

    must(copy != NULL && EVP_MD_CTX_copy_ex(copy, d->context) &&
         EVP_DigestFinal_ex(copy, bytes, NULL));
    EVP_MD_CTX_free(copy);
    for (size_t i = 0; i < (DIGEST_SIZE - 1) / 2; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[DIGEST_SIZE - 1] = '\0';
}

void digest_row_line(struct text_buffer *line, sqlite3_stmt *row, int columns)
{
    for (int i = 0; i < columns; i++)
        switch (sqlite3_column_type(row, i)) {
        case SQLITE_INTEGER:
            canon_integer(line, sqlite3_column_int64(row, i));
            break;
        case SQLITE_NULL:
            canon_null(line);
            break;
        default:
            canon_text(line, sql_column_text(row, i), (size_t)sqlite3_column_bytes(row, i));
        }
    canon_end(line);
}

void digest_add_row(struct digest *d, sqlite3_stmt *row)
{
    d->line.length = 0;
    digest_row_line(&d->line, row, sqlite3_column_count(row));
    digest_add(d, d->line.bytes, d->line.length);
}
