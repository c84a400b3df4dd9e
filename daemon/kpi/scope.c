/* Scopes: law 4. `company`, and PREFIX:VALUE for each attribute that has one. */
#include "kpi/scope.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
    const char *text;
    size_t length;
} prefixes[] = {
    { "site:", 5 }, { "department:", 11 }, { "staff:", 6 }, { "model:", 6 },
};

static void join(char to[SCOPE_SIZE], size_t prefix, const char *value)
{
    size_t length = strnlen(value, NAME_SIZE - 1);

    memcpy(to, prefixes[prefix].text, prefixes[prefix].length);
    memcpy(to + prefixes[prefix].length, value, length);
    to[prefixes[prefix].length + length] = '\0';
}

size_t scope_list(char scopes[SCOPES_MAX][SCOPE_SIZE], const struct attributes *is,
                  const struct kpi *kpi, bool with_staff)
{
    /* law 2: a ticket with no department takes its KPI's; law 3 says the same of a device. */
    const char *department = is->department[0] != '\0' ? is->department : kpi->department;
    const char *values[LENGTH(prefixes)] = { is->site, department, with_staff ? is->staff : "",
                                             is->model };
    size_t count = 1;

    text_set(scopes[0], SCOPE_SIZE, "company");
    for (size_t i = 0; i < LENGTH(prefixes); i++)
        if (values[i][0] != '\0')
            join(scopes[count++], i, values[i]);
    return count;
}

bool scope_holds(const struct attributes *is, const struct kpi *kpi, const char *scope)
{
    char scopes[SCOPES_MAX][SCOPE_SIZE];
    size_t count = scope_list(scopes, is, kpi, !kpi->counts_devices);

    for (size_t i = 0; i < count; i++)
        if (strcmp(scopes[i], scope) == 0)
            return true;
    return false;
}

bool scope_is_valid(const char *text)
{
    if (strcmp(text, "company") == 0)
        return true;
    for (size_t i = 0; i < LENGTH(prefixes); i++)
        if (strncmp(text, prefixes[i].text, prefixes[i].length) == 0) {
            size_t length = strlen(text + prefixes[i].length);

            return length >= 1 && length < NAME_SIZE;
        }
    return false;
}

bool scope_matches(const char *pattern, const char *scope)
{
    size_t length = strlen(pattern);

    if (length >= 2 && strcmp(pattern + length - 2, ":*") == 0)
        return strncmp(pattern, scope, length - 1) == 0;
    return strcmp(pattern, scope) == 0;
}
