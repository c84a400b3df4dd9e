/* Where a stream parser stands in a JSON text; see pointer.h. */
#include "pointer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add(struct pointer *p, const char *bytes, size_t length)
{
    if (p->length + length >= sizeof p->text) {
        p->is_lost = true;
        return;
    }
    memcpy(p->text + p->length, bytes, length);
    p->length += length;
    p->text[p->length] = '\0';
}

/* Back to the object or list that we are in. */
static void back(struct pointer *p)
{
    p->length = p->depth > 0 ? p->levels[p->depth - 1].length : 0;
    p->text[p->length] = '\0';
    p->is_lost = p->depth > 0 && p->length >= sizeof p->text - 1;
}

void pointer_key(struct pointer *p, const unsigned char *key, size_t length)
{
    back(p);
    add(p, "/", 1);
    for (size_t i = 0; i < length && !p->is_lost; i++) {
        if (key[i] == '~')
            add(p, "~0", 2);
        else if (key[i] == '/')
            add(p, "~1", 2);
        else if (key[i] == '\0')
            p->is_lost = true; /* no configured text can mean it */
        else
            add(p, (const char *)&key[i], 1);
    }
}

void pointer_value(struct pointer *p)
{
    struct pointer_level *level;
    char index[24];

    if (p->depth == 0) {
        back(p);
        return;
    }
    level = &p->levels[p->depth - 1];
    if (!level->is_list)
        return; /* its key has set it */
    back(p);
    snprintf(index, sizeof index, "/%" PRId64, ++level->index);
    add(p, index, strlen(index));
}

bool pointer_open(struct pointer *p, bool is_list)
{
    if (p->depth == POINTER_DEPTH_MAX)
        return false;
    /* Inside what could not be written nothing can: marked by a length that leaves no room. */
    p->levels[p->depth++] = (struct pointer_level){
        .length = p->is_lost ? sizeof p->text - 1 : p->length,
        .index = -1,
        .is_list = is_list,
    };
    return true;
}

void pointer_close(struct pointer *p)
{
    assert(p->depth > 0);
    back(p);
    p->depth--;
}

bool pointer_is(const struct pointer *p, const char *text)
{
    return !p->is_lost && strcmp(p->text, text) == 0;
}

bool pointer_is_valid(const char *text)
{
    if (text[0] != '\0' && text[0] != '/')
        return false;
    for (; *text; text++)
        if (*text == '~' && text[1] != '0' && text[1] != '1')
            return false;
    return true;
}
