/* Bodies of JT/T 808; see jt808_body.h. */
#include "jt808_body.h"

#include <string.h>

#include "jt808_location.h"

/* --- Reading along a body */

struct cursor {
    const uint8_t *at;
    size_t left;
    bool short_of; /* something was missing; what is read since then is empty */
};

static const uint8_t *take(struct cursor *c, size_t length)
{
    static const uint8_t nothing[32];
    const uint8_t *bytes = c->at;

    if (c->left < length) {
        c->short_of = true;
        c->left = 0;
        return nothing;
    }
    c->at += length;
    c->left -= length;
    return bytes;
}

static uint8_t take_byte(struct cursor *c)
{
    return *take(c, 1);
}

static uint16_t take_word(struct cursor *c)
{
    return jt808_word(take(c, 2));
}

static struct jt808_text take_text(struct cursor *c, size_t length)
{
    struct jt808_text text = { 0 };

    if (c->left < length) {
        c->short_of = true;
        return text;
    }
    text = (struct jt808_text){ take(c, length), length };
    while (text.length > 0 && text.bytes[text.length - 1] == 0)
        text.length--;
    return text;
}

/* --- Writing */

static size_t put_bytes(uint8_t *to, const uint8_t *bytes, size_t length)
{
    if (length > 0)
        memcpy(to, bytes, length);
    return length;
}

/* Padded with zeros behind (808-2013 table 7: "in front" is written there, behind is sent). */
static size_t put_padded(uint8_t *to, struct jt808_text text, size_t width)
{
    size_t length = text.length < width ? text.length : width;

    (void)put_bytes(to, text.bytes, length);
    memset(to + length, 0, width - length);
    return width;
}

/* --- General reply */

bool jt808_reply_read(const uint8_t *body, size_t length, struct jt808_reply *ret)
{
    if (length < 5)
        return false;
    *ret = (struct jt808_reply){ jt808_word(body), jt808_word(body + 2), body[4] };
    return true;
}

size_t jt808_reply_write(uint8_t to[5], const struct jt808_reply *reply)
{
    jt808_put_word(to, reply->serial);
    jt808_put_word(to + 2, reply->id);
    to[4] = reply->result;
    return 5;
}

/* --- Registration */

enum { REGISTER_2013_LEAST = 37 }; /* shorter is the layout of 2011, under the same header */

struct widths {
    int layout;
    uint8_t maker, model, terminal;
};

static const struct widths register_widths[] = { { 2011, 5, 8, 7 },
                                                 { 2013, 5, 20, 7 },
                                                 { 2019, 11, 30, 30 } };

static const struct widths *widths_of(int layout)
{
    return &register_widths[layout == 2011 ? 0 : layout == 2019 ? 2 : 1];
}

bool jt808_register_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                         struct jt808_register *ret)
{
    int layout = dialect == JT808_2019 ? 2019 : length >= REGISTER_2013_LEAST ? 2013 : 2011;
    const struct widths *w = widths_of(layout);
    struct cursor c = { body, length, false };
    struct jt808_register r = { .layout = layout };

    r.province = take_word(&c);
    r.city = take_word(&c);
    r.maker = take_text(&c, w->maker);
    r.model = take_text(&c, w->model);
    r.terminal = take_text(&c, w->terminal);
    r.plate_colour = take_byte(&c);
    r.plate = take_text(&c, c.left);
    if (c.short_of)
        return false;
    *ret = r;
    return true;
}

size_t jt808_register_write(uint8_t *to, const struct jt808_register *r)
{
    const struct widths *w = widths_of(r->layout);
    size_t n = 4;

    jt808_put_word(to, r->province);
    jt808_put_word(to + 2, r->city);
    n += put_padded(to + n, r->maker, w->maker);
    n += put_padded(to + n, r->model, w->model);
    n += put_padded(to + n, r->terminal, w->terminal);
    to[n++] = r->plate_colour;
    return n + put_bytes(to + n, r->plate.bytes, r->plate.length < 64 ? r->plate.length : 64);
}

bool jt808_register_reply_read(const uint8_t *body, size_t length, struct jt808_register_reply *ret)
{
    struct cursor c = { body, length, false };
    struct jt808_register_reply r = { .serial = take_word(&c) };

    r.result = take_byte(&c);
    if (r.result == 0)
        r.code = take_text(&c, c.left);
    if (c.short_of)
        return false;
    *ret = r;
    return true;
}

size_t jt808_register_reply_write(uint8_t *to, const struct jt808_register_reply *r)
{
    jt808_put_word(to, r->serial);
    to[2] = r->result;
    return 3 + (r->result == 0 ? put_bytes(to + 3, r->code.bytes, r->code.length) : 0);
}

/* --- Authentication */

enum { IMEI_LENGTH = 15, SOFTWARE_LENGTH = 20 };

bool jt808_auth_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                     struct jt808_auth *ret)
{
    struct cursor c = { body, length, false };
    struct jt808_auth a = { 0 };

    if (dialect == JT808_2019) {
        a.code = take_text(&c, take_byte(&c));
        a.imei = take_text(&c, IMEI_LENGTH);
        a.software = take_text(&c, c.left < SOFTWARE_LENGTH ? c.left : SOFTWARE_LENGTH);
    } else {
        a.code = take_text(&c, c.left);
    }
    if (c.short_of)
        return false;
    *ret = a;
    return true;
}

size_t jt808_auth_write(uint8_t *to, const struct jt808_auth *a, enum jt808_dialect dialect)
{
    size_t n = 0;

    if (dialect != JT808_2019)
        return put_bytes(to, a->code.bytes, a->code.length);
    to[n++] = (uint8_t)a->code.length;
    n += put_bytes(to + n, a->code.bytes, (uint8_t)a->code.length);
    n += put_padded(to + n, a->imei, IMEI_LENGTH);
    return n + put_padded(to + n, a->software, SOFTWARE_LENGTH);
}

/* --- Attributes */

/* False unless everything is there and nothing is left. */
static bool attributes_fit(const uint8_t *body, size_t length, size_t maker, size_t model,
                           size_t terminal, struct jt808_attributes *a)
{
    struct cursor c = { body, length, false };

    a->type = take_word(&c);
    a->maker = take_text(&c, maker);
    a->model = take_text(&c, model);
    a->terminal = take_text(&c, terminal);
    jt808_hex(a->iccid, take(&c, 10), 10);
    a->hardware = take_text(&c, take_byte(&c));
    a->firmware = take_text(&c, take_byte(&c));
    a->gnss = take_byte(&c);
    a->radio = take_byte(&c);
    return !c.short_of && c.left == 0;
}

bool jt808_attributes_read(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                           struct jt808_attributes *ret)
{
    static const uint8_t makers_2019[] = { 5, 11 };
    struct jt808_attributes a;

    if (dialect != JT808_2019) {
        if (!attributes_fit(body, length, 5, 20, 7, &a))
            return false;
        *ret = a;
        return true;
    }
    for (size_t i = 0; i < sizeof makers_2019; i++) {
        if (!attributes_fit(body, length, makers_2019[i], 30, 30, &a))
            continue;
        *ret = a;
        return true;
    }
    return false;
}

/* --- Lists */

bool jt808_parameter_next(const uint8_t *body, size_t length, enum jt808_dialect dialect,
                          size_t *at, struct jt808_parameter *ret)
{
    size_t head = dialect == JT905_2014 ? 2 : 3, id_length = dialect == JT905_2014 ? 2 : 4;
    struct jt808_parameter p;

    if (*at == 0)
        *at = head;
    if (*at > length || length - *at < id_length + 1)
        return false;
    p.id = dialect == JT905_2014 ? jt808_word(body + *at) : jt808_dword(body + *at);
    p.length = body[*at + id_length];
    p.value = body + *at + id_length + 1;
    if (length - *at - id_length - 1 < p.length)
        return false;
    *at += id_length + 1 + p.length;
    *ret = p;
    return true;
}

bool jt808_batch_next(const uint8_t *body, size_t length, enum jt808_dialect dialect, size_t *at,
                      const uint8_t **ret_report, size_t *ret_length)
{
    size_t report = JT905_LOCATION_LENGTH;

    if (dialect != JT905_2014) {
        if (*at == 0)
            *at = 3; /* count and kind */
        if (*at > length || length - *at < 2)
            return false;
        report = jt808_word(body + *at);
        *at += 2;
    }
    if (*at > length || length - *at < report)
        return false;
    *ret_report = body + *at;
    *ret_length = report;
    *at += report;
    return true;
}
