/* Texts with placeholders; see template.h. */
#include "template.h"

#include <ctype.h>
#include <string.h>

#include "base/json_out.h"

static void escape_url(struct text_buffer *to, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c < 0x80 && isalnum(c)) || strchr("-._~", c))
            text_buffer_add(to, text, 1);
        else
            text_buffer_addf(to, "%%%02X", c);
    }
}

static void escape_json(struct text_buffer *to, const char *text)
{
    struct text_buffer quoted = { 0 };

    json_out_string(&quoted, text, strlen(text));
    text_buffer_add(to, quoted.bytes + 1, quoted.length - 2);
    text_buffer_finish(&quoted);
}

void template_escape(struct text_buffer *to, const char *text, enum template_escape escape)
{
    switch (escape) {
    case ESCAPE_URL:
        escape_url(to, text);
        break;
    case ESCAPE_JSON:
        escape_json(to, text);
        break;
    case ESCAPE_NONE:
        text_buffer_adds(to, text);
        break;
    }
}

/* The value whose name stands at the brace, or NULL. */
static const struct template_value *value_at(const char *brace, const struct template_value *values)
{
    for (; values->name; values++) {
        size_t length = strlen(values->name);

        if (strncmp(brace + 1, values->name, length) == 0 && brace[1 + length] == '}')
            return values;
    }
    return NULL;
}

void template_expand(struct text_buffer *to, const char *text, enum template_escape escape,
                     const struct template_value *values)
{
    text_buffer_adds(to, "");
    while (*text) {
        size_t plain = strcspn(text, "{");
        const struct template_value *value = text[plain] ? value_at(text + plain, values) : NULL;

        text_buffer_add(to, text, plain);
        text += plain;
        if (value) {
            template_escape(to, value->text, escape);
            text += strlen(value->name) + 2;
        } else if (*text) {
            text_buffer_add(to, text++, 1);
        }
    }
}

bool template_has(const char *text, const char *name)
{
    const struct template_value values[] = { { name, "" }, { NULL, NULL } };

    for (; text && (text = strchr(text, '{')); text++)
        if (value_at(text, values))
            return true;
    return false;
}
