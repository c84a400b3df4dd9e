/* Reading one event: law 1, rule by rule, in one pass over the text.
 *
 * yajl walks the JSON and calls back; a key of the outermost object picks a row of the table below,
 * and its value is checked by that row at once and written into the event. What no row knows is
 * skipped, however deep. When the text has ended, what the type requires must have been seen.
 * The first fault ends the walk and becomes the reason for quarantine.
 *
 * Nearly every event is one flat object of strings in which nothing is escaped. Such a one needs no
 * yajl, and is read in a third of the time. Whatever is not as plain, or has a fault, is read by
 * yajl from the beginning, so that there is one way to refuse.
 *
 * yajl alone is too kind in three points, which are checked beforehand: it takes ill-formed UTF-8
 * of some sorts, it turns an escaped half of a surrogate pair into "?", and it knows no limit. */
#include "kpi/event.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"

struct parser;
struct field;

typedef bool (*take_function)(struct parser *p, const char *text, size_t length);

static bool take_text(struct parser *p, const char *text, size_t length);
static bool take_source(struct parser *p, const char *text, size_t length);
static bool take_type(struct parser *p, const char *text, size_t length);
static bool take_at(struct parser *p, const char *text, size_t length);
static bool take_outcome(struct parser *p, const char *text, size_t length);
static bool take_input(struct parser *p, const char *text, size_t length);

enum field_index {
    FIELD_SOURCE, FIELD_ID, FIELD_TYPE, FIELD_AT, FIELD_TICKET, FIELD_DEVICE, FIELD_SITE,
    FIELD_DEPARTMENT, FIELD_STAFF, FIELD_VEHICLE, FIELD_MODEL, FIELD_OUTCOME, FIELD_REASON,
    FIELD_BY, FIELD_CODE, FIELD_EVIDENCE, FIELD_INPUT, FIELDS,
};

#define BIT(field) (UINT32_C(1) << (field))

struct field {
    const char *name;
    size_t name_length;
    take_function take;         /* a string; NULL: any value (evidence) */
    size_t offset, size;        /* take_text: of the array in the event */
    size_t least;               /* bytes */
    bool any_value;             /* what is no string is not refused */
};

#define NAMED(text) .name = (text), .name_length = sizeof(text) - 1
#define TEXT(member, minimum) \
    NAMED(#member), .take = take_text, .offset = offsetof(struct event, member), \
    .size = sizeof(((struct event *)NULL)->member), .least = (minimum)

/* The table of law 1, in its order. `input` is known to source.lost and source.found alone (law 7);
 * elsewhere it is an unknown field like any other. */
static const struct field fields[FIELDS] = {
    [FIELD_SOURCE] = { NAMED("source"), .take = take_source },
    [FIELD_ID] = { TEXT(id, 1) },
    [FIELD_TYPE] = { NAMED("type"), .take = take_type },
    [FIELD_AT] = { NAMED("at"), .take = take_at },
    [FIELD_TICKET] = { TEXT(ticket, 1) },
    [FIELD_DEVICE] = { TEXT(device, 1) },
    [FIELD_SITE] = { TEXT(site, 1) },
    [FIELD_DEPARTMENT] = { TEXT(department, 1) },
    [FIELD_STAFF] = { TEXT(staff, 1) },
    [FIELD_VEHICLE] = { TEXT(vehicle, 1) },
    [FIELD_MODEL] = { TEXT(model, 1) },
    [FIELD_OUTCOME] = { NAMED("outcome"), .take = take_outcome },
    [FIELD_REASON] = { TEXT(reason, 0) },
    [FIELD_BY] = { TEXT(by, 1) },
    [FIELD_CODE] = { TEXT(code, 1) },
    [FIELD_EVIDENCE] = { NAMED("evidence"), .any_value = true },
    [FIELD_INPUT] = { NAMED("input"), .take = take_input, .any_value = true },
};

/* What each type requires besides source, id, type and at, and which kind it goes with: NULL is any
 * ticket kind. */
static const struct {
    const char *kind;
    uint32_t required;
} types[] = {
    [EVENT_OPENED] = { NULL, BIT(FIELD_TICKET) },
    [EVENT_SETTLED] = { NULL, BIT(FIELD_TICKET) | BIT(FIELD_OUTCOME) },
    [EVENT_REOPENED] = { NULL, BIT(FIELD_TICKET) },
    [EVENT_AMENDED] = { NULL, BIT(FIELD_TICKET) | BIT(FIELD_REASON) | BIT(FIELD_BY) },
    [EVENT_COMMISSIONED] = { "device", BIT(FIELD_DEVICE) },
    [EVENT_DECOMMISSIONED] = { "device", BIT(FIELD_DEVICE) },
    [EVENT_FAULTED] = { "device", BIT(FIELD_DEVICE) | BIT(FIELD_CODE) },
    [EVENT_RECOVERED] = { "device", BIT(FIELD_DEVICE) | BIT(FIELD_CODE) },
    [EVENT_LOST] = { "source", BIT(FIELD_INPUT) },
    [EVENT_FOUND] = { "source", BIT(FIELD_INPUT) },
};

struct parser {
    yajl_handle yajl;
    const char *json;
    const struct rules *rules;
    struct reject *reject;
    const struct field *field;  /* whose value comes next in the outermost object, or NULL */
    size_t key_end;             /* bytes up to the end of its key */
    size_t depth;               /* of objects and arrays that are open */
    uint32_t seen;              /* BIT of each field */
    bool input_is_bad;          /* judged when the type is known */
    struct event event;
};

/* Fills `reject` with "field: why", or with why alone for the whole. Always false. */
__attribute__((format(printf, 3, 4)))
static bool refuse(struct reject *reject, const char *field, const char *format, ...)
{
    size_t used = 0;
    va_list args;

    text_set(reject->field, sizeof reject->field, field);
    if (field[0] != '\0')
        used = (size_t)snprintf(reject->reason, sizeof reject->reason, "%s: ", field);
    va_start(args, format);
    /* What a stranger wrote is cut by text_quote before it comes here; nothing else is long. */
    (void)vsnprintf(reject->reason + used, sizeof reject->reason - used, format, args);
    va_end(args);
    return false;
}

static bool refuse_field(struct parser *p, const char *why)
{
    return refuse(p->reject, p->field->name, "%s", why);
}

/* "field: "what came" why" */
static bool refuse_text(struct parser *p, const char *text, size_t length, const char *why)
{
    char quoted[100];

    text_quote(quoted, sizeof quoted, text, length);
    return refuse(p->reject, p->field->name, "%s %s", quoted, why);
}

static bool take_text(struct parser *p, const char *text, size_t length)
{
    const struct field *f = p->field;
    char *to = (char *)&p->event + f->offset;

    if (length < f->least)
        return refuse_field(p, "must not be empty");
    if (length >= f->size)
        return refuse(p->reject, f->name, "is %zu bytes long, at most %zu are allowed", length,
                      f->size - 1);
    if (memchr(text, '\0', length))
        return refuse_field(p, "contains a NUL");
    memcpy(to, text, length);       /* the event was zeroed: the NUL is there */
    return true;
}

static bool take_source(struct parser *p, const char *text, size_t length)
{
    if (!event_source_is_valid(text, length))
        return refuse_text(p, text, length, "must be 1 to 32 of a-z 0-9 _ - and begin with a "
                           "letter or digit");
    memcpy(p->event.source, text, length);
    return true;
}

static bool take_at(struct parser *p, const char *text, size_t length)
{
    if (!instant_parse(text, length, &p->event.at))
        return refuse_text(p, text, length, "is no RFC 3339 time with an offset");
    return true;
}

static bool take_outcome(struct parser *p, const char *text, size_t length)
{
    if (!outcome_parse(text, length, &p->event.outcome))
        return refuse_text(p, text, length, "is none of success, failure, excluded");
    return true;
}

static bool take_input(struct parser *p, const char *text, size_t length)
{
    if (event_source_is_valid(text, length))
        memcpy(p->event.input, text, length);
    else
        p->input_is_bad = true;
    return true;
}

static enum event_type type_of_verb(const char *verb, size_t length)
{
    for (enum event_type type = EVENT_OPENED; type <= EVENT_FOUND; type++)
        if (strlen(event_verb(type)) == length && memcmp(event_verb(type), verb, length) == 0)
            return type;
    return EVENT_NONE;
}

/* "<kind>.<verb>"; a kind has no dot in it. */
static bool take_type(struct parser *p, const char *text, size_t length)
{
    const char *dot = memchr(text, '.', length);
    size_t kind_length = dot ? (size_t)(dot - text) : 0;
    char *kind = p->event.kind;

    if (!dot || !event_kind_is_valid(text, kind_length))
        return refuse_text(p, text, length, "is no type of event");
    memcpy(kind, text, kind_length);

    enum event_type type = type_of_verb(dot + 1, length - kind_length - 1);
    bool is_ticket_kind = strcmp(kind, "device") != 0 && strcmp(kind, "source") != 0;

    if (type == EVENT_NONE || (types[type].kind && strcmp(types[type].kind, kind) != 0) ||
        (!types[type].kind && !is_ticket_kind))
        return refuse_text(p, text, length, "is no type of event");
    if (is_ticket_kind && p->rules && !rules_kpi_of_kind(p->rules, kind))
        return refuse(p->reject, "type", "no KPI counts \"%s\" tickets", kind);
    p->event.type = type;
    return true;
}

/* law 1: at most 16 KiB, as it was received: from the first byte of the value to the last. */
static bool check_evidence(struct parser *p)
{
    size_t end = yajl_get_bytes_consumed(p->yajl);
    size_t begin = p->key_end;

    while (begin < end && strchr(" \t\r\n:", p->json[begin]))
        begin++;
    if (end - begin > EVIDENCE_MAX)
        return refuse(p->reject, "evidence", "is %zu bytes long, at most %d are allowed",
                      end - begin, EVIDENCE_MAX);
    return true;
}

/* A value that is no string has begun, and ended if it is a scalar. */
static bool take_other(struct parser *p)
{
    if (p->depth == 0)
        return refuse(p->reject, "", "not a JSON object");
    if (p->depth > 1 || !p->field)
        return true;
    if (!p->field->any_value)
        return refuse_field(p, "must be a string");
    if (p->field == &fields[FIELD_INPUT])
        p->input_is_bad = true;
    return true;
}

static bool is_evidence(const struct parser *p)
{
    return p->depth == 1 && p->field == &fields[FIELD_EVIDENCE];
}

static int on_scalar(struct parser *p)
{
    return take_other(p) && (!is_evidence(p) || check_evidence(p));
}

static int on_null(void *arg)
{
    return on_scalar(arg);
}

static int on_boolean(void *arg, int value)
{
    (void)value;
    return on_scalar(arg);
}

static int on_number(void *arg, const char *text, size_t length)
{
    (void)text;
    (void)length;
    return on_scalar(arg);
}

static int on_string(void *arg, const unsigned char *text, size_t length)
{
    struct parser *p = arg;

    if (p->depth == 1 && p->field && p->field->take)
        return p->field->take(p, (const char *)text, length);
    return on_scalar(p);
}

static int on_open_array(void *arg)
{
    struct parser *p = arg;

    if (!take_other(p))
        return 0;
    p->depth++;
    return 1;
}

static int on_open_map(void *arg)
{
    struct parser *p = arg;

    if (p->depth > 0 && !take_other(p))
        return 0;
    p->depth++;
    return 1;
}

static int on_close(void *arg)
{
    struct parser *p = arg;

    p->depth--;
    return !is_evidence(p) || check_evidence(p);
}

static const struct field *find_field(const unsigned char *key, size_t length)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].name_length == length && fields[i].name[0] == (char)key[0] &&
            memcmp(fields[i].name, key, length) == 0)
            return &fields[i];
    return NULL;
}

static int on_key(void *arg, const unsigned char *key, size_t length)
{
    struct parser *p = arg;

    if (p->depth > 1)
        return 1;
    p->field = find_field(key, length);
    if (!p->field)
        return 1;

    uint32_t bit = BIT(p->field - fields);

    p->key_end = yajl_get_bytes_consumed(p->yajl);
    if (p->seen & bit) {
        if (p->field != &fields[FIELD_INPUT])
            return refuse_field(p, "given twice");
        p->input_is_bad = true;
    }
    p->seen |= bit;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_open_array,
    .yajl_end_array = on_close,
};

static void *alloc_for_yajl(void *arg, size_t size)
{
    (void)arg;
    return mem_alloc(size);
}

static void *realloc_for_yajl(void *arg, void *p, size_t size)
{
    (void)arg;
    return mem_realloc(p, size);
}

static void free_for_yajl(void *arg, void *p)
{
    (void)arg;
    free(p);
}

/* The text is no JSON: yajl's own words, on one line. */
static bool refuse_json(struct parser *p)
{
    unsigned char *why = yajl_get_error(p->yajl, 0, NULL, 0);

    refuse(p->reject, "", "not JSON: %.*s", (int)strcspn((char *)why, "\n"), (char *)why);
    yajl_free_error(p->yajl, why);
    return false;
}

static bool walk(struct parser *p, const char *json, size_t length)
{
    /* Unlike yajl's own, these never answer NULL, which it would not survive. */
    yajl_alloc_funcs memory = { .malloc = alloc_for_yajl, .realloc = realloc_for_yajl,
                                .free = free_for_yajl };
    bool well = true;

    p->yajl = yajl_alloc(&callbacks, &memory, p);
    yajl_config(p->yajl, yajl_dont_validate_strings, 1);    /* done, and better */
    yajl_status status = yajl_parse(p->yajl, (const unsigned char *)json, length);

    if (status == yajl_status_ok)
        status = yajl_complete_parse(p->yajl);
    if (status == yajl_status_error)
        well = refuse_json(p);
    else if (status == yajl_status_client_canceled)
        well = false;
    yajl_free(p->yajl);
    return well;
}

/* --- The plain way */

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && **at == ' ')
        (*at)++;
}

/* Steps over `c`, with blanks around it. */
static bool skip_char(const char **at, const char *end, char c)
{
    skip_blanks(at, end);
    if (*at == end || **at != c)
        return false;
    (*at)++;
    skip_blanks(at, end);
    return true;
}

/* Steps over a string and borrows what stands in it. NULL if that is not what it means. */
static const char *plain_string(const char **at, const char *end, size_t *ret_length)
{
    const char *begin = *at + 1, *c = begin;

    if (*at == end || **at != '"')
        return NULL;
    while (c < end && *c != '"') {
        if (*c == '\\' || (unsigned char)*c < 0x20)
            return NULL;
        c++;
    }
    if (c == end)
        return NULL;
    *ret_length = (size_t)(c - begin);
    *at = c + 1;
    return begin;
}

static bool take_plain(struct parser *p, const char *key, size_t key_length, const char *value,
                       size_t length)
{
    p->field = find_field((const unsigned char *)key, key_length);
    if (!p->field)
        return true;

    uint32_t bit = BIT(p->field - fields);

    if (p->field->any_value || p->seen & bit)
        return false;
    p->seen |= bit;
    return p->field->take(p, value, length);
}

/* False: not that plain, or faulty. */
static bool walk_plain(struct parser *p, const char *json, size_t length)
{
    const char *at = json, *end = json + length;

    if (!skip_char(&at, end, '{'))
        return false;
    do {
        size_t key_length = 0, value_length = 0;
        const char *key = plain_string(&at, end, &key_length), *value;

        if (!key || !skip_char(&at, end, ':'))
            return false;
        value = plain_string(&at, end, &value_length);
        if (!value || !take_plain(p, key, key_length, value, value_length))
            return false;
    } while (skip_char(&at, end, ','));
    return at + 1 == end && *at == '}';
}

/* --- The whole */

/* Value of four hexadecimal digits, or -1. */
static int32_t hex4(const char *text, const char *end)
{
    int32_t value = 0;

    if (end - text < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = text[i];
        int32_t digit = c >= '0' && c <= '9' ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* True if a half of a surrogate pair is escaped without its other half. A backslash stands only
 * inside strings, so the text need not be understood for this; what is no JSON fails later. */
static bool has_lone_surrogate(const char *json, size_t length)
{
    const char *end = json + length;
    const char *at = memchr(json, '\\', length);

    while (at && end - at >= 2) {
        int32_t unit = at[1] == 'u' ? hex4(at + 2, end) : -1;

        at += 2;
        if (unit >= 0xdc00 && unit <= 0xdfff)
            return true;
        if (unit >= 0xd800 && unit <= 0xdbff) {
            int32_t low = end - at >= 10 && at[4] == '\\' && at[5] == 'u' ? hex4(at + 6, end) : -1;

            if (low < 0xdc00 || low > 0xdfff)
                return true;
            at += 10;
        }
        at = memchr(at, '\\', (size_t)(end - at));
    }
    return false;
}

static bool check_text(const char *json, size_t length, struct reject *reject)
{
    if (length > EVENT_JSON_MAX)
        return refuse(reject, "", "is %zu bytes long, at most %d are allowed", length,
                      EVENT_JSON_MAX);
    if (!text_is_utf8(json, length))
        return refuse(reject, "", "not JSON: not UTF-8");
    if (has_lone_surrogate(json, length))
        return refuse(reject, "", "not JSON: half of a surrogate pair");
    return true;
}

/* What only the whole event can show. */
static bool check_whole(struct parser *p)
{
    static const uint32_t always = BIT(FIELD_SOURCE) | BIT(FIELD_ID) | BIT(FIELD_TYPE) |
                                   BIT(FIELD_AT);
    struct event *e = &p->event;
    uint32_t missing = (always | types[e->type].required) & ~p->seen;

    for (size_t i = 0; missing != 0 && i < FIELDS; i++)
        if (missing & BIT(i))
            return refuse(p->reject, fields[i].name, "missing");

    if (e->type == EVENT_LOST || e->type == EVENT_FOUND) {
        if (p->input_is_bad)
            return refuse(p->reject, "input", "must be the name of one input");
        if (strcmp(e->source, "kpid") != 0)
            return refuse(p->reject, "source", "only kpid itself knows what became of its inputs");
    } else {
        memset(e->input, 0, sizeof e->input);
    }
    if (e->type != EVENT_SETTLED && e->type != EVENT_AMENDED)
        e->outcome = OUTCOME_NONE;
    return true;
}

bool event_parse(const char *json, size_t length, const struct rules *rules, struct event *ret,
                 struct reject *reject)
{
    struct parser p = { .json = json, .rules = rules, .reject = reject };

    if (!check_text(json, length, reject))
        return false;
    if (!walk_plain(&p, json, length)) {
        p = (struct parser){ .json = json, .rules = rules, .reject = reject };
        if (!walk(&p, json, length))
            return false;
    }
    if (!check_whole(&p))
        return false;
    *ret = p.event;
    return true;
}
