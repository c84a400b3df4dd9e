/* Accessors over yajl's tree. */
#include "answer.h"

#include <math.h>
#include <string.h>

yajl_val answer_parse(const char *text)
{
    char why[128];

    return yajl_tree_parse(text, why, sizeof why);
}

/* The member of an object whose key is the first `length` bytes of `name`. */
static yajl_val member(yajl_val value, const char *name, size_t length)
{
    if (!YAJL_IS_OBJECT(value))
        return NULL;
    for (size_t i = 0; i < value->u.object.len; i++)
        if (strlen(value->u.object.keys[i]) == length
            && strncmp(value->u.object.keys[i], name, length) == 0)
            return value->u.object.values[i];
    return NULL;
}

yajl_val answer_get(yajl_val value, const char *path)
{
    size_t length;

    while (value && *path) {
        length = strcspn(path, ".");
        value = member(value, path, length);
        path += length + (path[length] == '.');
    }
    return value;
}

const char *answer_text(yajl_val value, const char *path)
{
    yajl_val found = answer_get(value, path);

    return YAJL_IS_STRING(found) ? YAJL_GET_STRING(found) : "";
}

int64_t answer_integer(yajl_val value, const char *path)
{
    yajl_val found = answer_get(value, path);

    return YAJL_IS_INTEGER(found) ? YAJL_GET_INTEGER(found) : 0;
}

int64_t answer_parts(yajl_val value, const char *path, int64_t parts, int64_t none)
{
    yajl_val found = answer_get(value, path);

    if (YAJL_IS_INTEGER(found))
        return YAJL_GET_INTEGER(found) * parts;
    if (YAJL_IS_DOUBLE(found))
        return llround(YAJL_GET_DOUBLE(found) * (double)parts);
    return none;
}

bool answer_is_true(yajl_val value, const char *path)
{
    return YAJL_IS_TRUE(answer_get(value, path));
}

size_t answer_length(yajl_val value, const char *path)
{
    yajl_val found = answer_get(value, path);

    return YAJL_IS_ARRAY(found) ? found->u.array.len : 0;
}

yajl_val answer_item(yajl_val value, const char *path, size_t i)
{
    yajl_val found = answer_get(value, path);

    return YAJL_IS_ARRAY(found) && i < found->u.array.len ? found->u.array.values[i] : NULL;
}
