/* Maps one record to its events; see event_map.h.
 *
 * The fields of an event are gathered as slices of the record, of the constants, or of a small
 * scratch buffer, then written at once, in the order of map_field_names. The digest that serves as
 * an id covers exactly what is written, so that an edited record is a new event, and one that
 * changed only where we do not look is the old one. */
#include "event_map.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "event_map_private.h"

struct slice {
    const char *text; /* NULL: the event does not carry the field */
    size_t length;
};

/* One event in the making. */
struct making {
    const struct event_map *map;
    const struct map_shape *shape;
    const struct event_value *values;
    struct slice fields[FIELD_COUNT];
    char at[INSTANT_SIZE];
    char id[132]; /* one more than an id may have, so that too long is seen as such */
    char *refusal;
};

bool event_map_is_plain(const struct event_map *map)
{
    return map->is_plain;
}

size_t event_map_inputs(const struct event_map *map, const char *const **ret_names)
{
    *ret_names = map->inputs;
    return map->input_count;
}

static struct slice slice_of(const char *text)
{
    return (struct slice){ text, strlen(text) };
}

static bool slice_is(struct slice s, const char *text)
{
    size_t length = strlen(text);

    return s.length == length && memcmp(s.text, text, length) == 0;
}

/* Without the blanks around it, which people leave in sheets and nobody means. */
static struct slice value_at(const struct making *m, size_t input)
{
    const struct event_value *v = &m->values[input];
    struct slice s = { v->text, v->length };

    if (!s.text)
        return (struct slice){ "", 0 };
    while (s.length > 0 && (s.text[0] == ' ' || s.text[0] == '\t'))
        s.text++, s.length--;
    while (s.length > 0 && (s.text[s.length - 1] == ' ' || s.text[s.length - 1] == '\t'))
        s.length--;
    return s;
}

/* "outcome: \"x\" in column \"结果\" WHY". Returns false, for the caller to return. */
static bool refuse(struct making *m, const struct map_rule *rule, struct slice value,
                   const char *why)
{
    char quoted[80];

    text_quote(quoted, sizeof quoted, value.text, value.length);
    snprintf(m->refusal, REFUSAL_SIZE, "%s: %s in %s \"%.48s\" %s", map_field_names[rule->field],
             quoted, m->map->from_key, m->map->inputs[rule->input], why);
    return false;
}

static bool translate(struct making *m, const struct map_rule *rule, struct slice *value)
{
    for (size_t i = 0; i < rule->pair_count; i++)
        if (slice_is(*value, rule->pairs[i].from)) {
            *value = slice_of(rule->pairs[i].to);
            return true;
        }
    if (value->length == 0)
        return true;
    if (!rule->otherwise)
        return refuse(m, rule, *value, "stands for nothing: add it to values, or set otherwise");
    *value = slice_of(rule->otherwise);
    return true;
}

static bool apply_time(struct making *m, const struct map_rule *rule, struct slice *value)
{
    const struct zone *zone = &m->map->zone;
    int64_t at;

    if (!item_time_parse(rule->time, zone, value->text, value->length, &at)) {
        char why[80];

        snprintf(why, sizeof why, "is no %s", item_time_example(rule->time));
        return refuse(m, rule, *value, why);
    }
    instant_format(m->at, at, zone_offset(zone, at));
    *value = slice_of(m->at);
    return true;
}

static bool apply_rule(struct making *m, const struct map_rule *rule)
{
    struct slice value = value_at(m, rule->input);

    if (m->values[rule->input].is_compound) {
        snprintf(m->refusal, REFUSAL_SIZE,
                 "%s: an object or list in %s \"%.48s\", where a text "
                 "or number is wanted",
                 map_field_names[rule->field], m->map->from_key, m->map->inputs[rule->input]);
        return false;
    }
    if (!text_is_utf8(value.text, value.length))
        return refuse(m, rule, value, "is not UTF-8: set the right encoding");
    if (rule->pairs && !translate(m, rule, &value))
        return false;
    if (value.length == 0)
        return true;
    if (rule->field == FIELD_AT && !apply_time(m, rule, &value))
        return false;
    m->fields[rule->field] = value;
    return true;
}

static bool fits(const struct making *m, const struct map_condition *c)
{
    struct slice value = value_at(m, c->input);

    for (size_t i = 0; i < c->is_count; i++)
        if (slice_is(value, c->is[i]))
            return true;
    return false;
}

/* True if the record says that this event has happened. */
static bool is_wanted(const struct making *m)
{
    const struct map_shape *shape = m->shape;

    for (size_t i = 0; i < shape->condition_count; i++)
        if (!fits(m, &shape->conditions[i]))
            return false;
    if (!shape->is_one_of_several)
        return true;
    for (size_t i = 0; i < shape->rule_count; i++)
        if (shape->rules[i].field == FIELD_AT)
            return value_at(m, shape->rules[i].input).length > 0;
    return true;
}

static void make_digest(struct making *m)
{
    struct text_buffer covered = { 0 };
    unsigned char digest[EVP_MAX_MD_SIZE];
    static const char hex[] = "0123456789abcdef";

    for (enum map_field i = 0; i < FIELD_COUNT; i++) {
        if (!m->fields[i].text)
            continue;
        text_buffer_add(&covered, map_field_names[i], strlen(map_field_names[i]) + 1);
        text_buffer_add(&covered, m->fields[i].text, m->fields[i].length);
        text_buffer_add(&covered, "", 1);
    }
    text_buffer_add(&covered, "", 1);
    EVP_Digest(covered.bytes, covered.length, digest, NULL, EVP_sha256(), NULL);
    text_buffer_finish(&covered);
    for (size_t i = 0; i < 16; i++) {
        m->id[2 * i] = hex[digest[i] >> 4];
        m->id[2 * i + 1] = hex[digest[i] & 15];
    }
    m->fields[FIELD_ID] = slice_of(m->id);
}

static bool add_to_id(struct making *m, size_t *length, struct slice part)
{
    if (part.length >= sizeof m->id - *length) {
        snprintf(m->refusal, REFUSAL_SIZE, "id: longer than 128 bytes");
        return false;
    }
    memcpy(m->id + *length, part.text, part.length);
    *length += part.length;
    return true;
}

static bool make_id(struct making *m)
{
    const struct map_template *t = &m->shape->id;
    size_t length = 0, filled = 0;

    if (m->fields[FIELD_ID].text)
        return true;
    if (t->count == 0) {
        make_digest(m);
        return true;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct slice part =
            t->parts[i].text ? slice_of(t->parts[i].text) : value_at(m, t->parts[i].input);

        if (!t->parts[i].text)
            filled += part.length;
        if (!add_to_id(m, &length, part))
            return false;
    }
    if (filled == 0) {
        snprintf(m->refusal, REFUSAL_SIZE, "id: empty, because all of its values are");
        return false;
    }
    if (m->shape->id_is_shared && m->fields[FIELD_TYPE].text &&
        (!add_to_id(m, &length, slice_of(":")) || !add_to_id(m, &length, m->fields[FIELD_TYPE])))
        return false;
    m->fields[FIELD_ID] = (struct slice){ m->id, length };
    return true;
}

static bool is_complete(struct making *m)
{
    static const enum map_field needed[] = { FIELD_TYPE, FIELD_AT };

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!m->fields[needed[i]].text) {
            snprintf(m->refusal, REFUSAL_SIZE, "%s: missing", map_field_names[needed[i]]);
            for (size_t k = 0; k < m->shape->rule_count; k++)
                if (m->shape->rules[k].field == needed[i])
                    snprintf(m->refusal, REFUSAL_SIZE, "%s: missing, nothing in %s \"%.80s\"",
                             map_field_names[needed[i]], m->map->from_key,
                             m->map->inputs[m->shape->rules[k].input]);
            return false;
        }
    return true;
}

static void write_event(const struct making *m, struct text_buffer *out)
{
    text_buffer_adds(out, "{");
    for (enum map_field i = 0; i < FIELD_COUNT; i++) {
        if (!m->fields[i].text)
            continue;
        json_out_key(out, map_field_names[i]);
        json_out_string(out, m->fields[i].text, m->fields[i].length);
    }
    text_buffer_adds(out, "}\n");
}

static bool make_event(struct making *m, struct text_buffer *out)
{
    if (m->map->source[0])
        m->fields[FIELD_SOURCE] = slice_of(m->map->source);
    for (enum map_field i = 0; i < FIELD_COUNT; i++)
        if (m->shape->constants[i])
            m->fields[i] = slice_of(m->shape->constants[i]);
    for (size_t i = 0; i < m->shape->rule_count; i++)
        if (!apply_rule(m, &m->shape->rules[i]))
            return false;
    if (!is_complete(m) || !make_id(m))
        return false;
    write_event(m, out);
    return true;
}

int event_map_make(const struct event_map *map, const struct event_value *values,
                   struct text_buffer *out, char ret_refusal[REFUSAL_SIZE])
{
    size_t before = out->length;
    int count = 0;

    for (size_t i = 0; i < map->shape_count; i++) {
        struct making m = {
            .map = map, .shape = &map->shapes[i], .values = values, .refusal = ret_refusal
        };

        if (!is_wanted(&m))
            continue;
        if (!make_event(&m, out)) {
            out->length = before;
            return -1;
        }
        count++;
    }
    return count;
}
