/* The codecs of JT/T 808 and 905 against real messages: each frame of tests/data/jtt808 is cut,
 * read and compared with the decode that stands beside it, key by key, and written again to the
 * same bytes. Where a frame must be refused, it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "jt808_body.h"
#include "jt808_location.h"
#include "jt905_order.h"

enum { COLUMNS_MAX = 20, HEX_MAX = 8192 };

/* One line of a table. */
struct row {
    char *columns[COLUMNS_MAX];
    size_t count;
};

static const char *column(const struct row *head, const struct row *row, const char *name)
{
    for (size_t i = 0; i < head->count; i++)
        if (strcmp(head->columns[i], name) == 0)
            return i < row->count ? row->columns[i] : "";
    return NULL;
}

static void split(char *line, struct row *row)
{
    row->count = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *c; (c = strsep(&line, "\t")) && row->count < COLUMNS_MAX;)
        row->columns[row->count++] = c;
}

/* Calls `each` for every line below the first. */
static size_t each_row(const char *name,
                       void (*each)(const struct row *head, const struct row *row))
{
    char *path = mem_printf("tests/data/jtt808/%s", name), *line = NULL, *first = NULL;
    FILE *file = fopen(path, "r");
    struct row head, row;
    size_t size = 0, first_size = 0, count = 0;

    assert_non_null(file);
    assert_true(getline(&first, &first_size, file) > 0);
    split(first, &head);
    for (; getline(&line, &size, file) > 0; count++) {
        split(line, &row);
        each(&head, &row);
    }
    fclose(file);
    free(line);
    free(first);
    free(path);
    return count;
}

static size_t unhex(uint8_t *to, const char *hex)
{
    size_t length = strlen(hex) / 2;

    assert_true(length <= HEX_MAX && jt808_unhex(to, hex, length));
    return length;
}

/* --- What a message says, as the tables write it */

static void add_text(struct text_buffer *to, struct jt808_text text)
{
    char utf8[2 * JT808_FRAME_MAX], *in = (char *)(uintptr_t)text.bytes, *out = utf8;
    size_t left = text.length, room = sizeof utf8;
    iconv_t cd = iconv_open("UTF-8", "GB18030");

    while (left > 0 && room > 8) {
        if (*(unsigned char *)in < 0x20 || *in == ';') {
            out += sprintf(out, "\\x%02x", (unsigned char)*in++);
            left--;
        } else if (*in == '\\') {
            out += sprintf(out, "\\\\");
            in++;
            left--;
        } else {
            size_t one = (unsigned char)*in < 0x80 || left < 2 ? 1 : 2;

            left -= one;
            if (iconv(cd, &in, &one, &out, &room) == (size_t)-1) {
                in += one;
                out += sprintf(out, "\\?");
            }
        }
        room = sizeof utf8 - (size_t)(out - utf8);
    }
    iconv_close(cd);
    text_buffer_add(to, utf8, (size_t)(out - utf8));
}

static void add_time(struct text_buffer *to, int64_t at, const uint8_t bcd[6])
{
    char text[INSTANT_SIZE], digits[13];

    if (at == JT808_NO_TIME) {
        jt808_hex(digits, bcd, 6);
        text_buffer_addf(to, "invalid:%s", digits);
        return;
    }
    instant_format(text, at, JT808_OFFSET_S);
    memmove(text + 19, text + 23, strlen(text + 23) + 1); /* without milliseconds */
    text_buffer_adds(to, text);
}

static void add_faults(struct text_buffer *to, uint32_t alarm, enum jt808_dialect dialect)
{
    size_t before = to->length;

    for (const struct jt808_alarm *a =
             jt808_alarms(dialect == JT905_2014 ? JT905_ALARMS : JT808_ALARMS);
         a->code; a++)
        if (alarm & UINT32_C(1) << a->bit)
            text_buffer_addf(to, "%s%s", to->length > before ? "+" : "", a->code);
    if (to->length == before)
        text_buffer_adds(to, "none");
}

static void add_items(struct text_buffer *to, const struct jt808_location *l)
{
    struct jt808_item item;
    char hex[2 * JT808_ITEM_MAX + 1];
    size_t at = 0;

    while (jt808_item_next(l, &at, &item)) {
        jt808_hex(hex, item.value, item.length);
        text_buffer_addf(to, "%s%02x:%s", to->length > 0 ? "," : "", item.id, hex);
    }
}

static void add_degrees(struct text_buffer *to, int32_t e6)
{
    text_buffer_addf(to, "%s%d.%06d", e6 < 0 ? "-" : "", abs(e6 / 1000000), abs(e6 % 1000000));
}

/* False: the location has no such key. */
static bool location_key(struct text_buffer *to, const struct jt808_location *l,
                         enum jt808_dialect dialect, const char *key)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        { "lat_raw", l->latitude_raw },
        { "lon_raw", l->longitude_raw },
        { "alt_raw", (uint16_t)l->altitude_m },
        { "speed_dkmh", l->speed_dkmh },
        { "course", l->course },
        { "acc", l->acc },
        { "fix", l->fixed },
        { "occupied", l->hired },
        { "out_of_service", l->out_of_service },
        { "booked", l->booked },
        { "mileage_100m", l->odometer_100m },
        { "signal", l->signal },
        { "sats", l->satellites },
    };

    for (size_t i = 0; i < LENGTH(numbers); i++)
        if (strcmp(numbers[i].key, key) == 0) {
            text_buffer_addf(to, "%lld", (long long)numbers[i].value);
            return true;
        }
    if (strcmp(key, "alarm") == 0)
        text_buffer_addf(to, "%08x", l->alarm);
    else if (strcmp(key, "status") == 0)
        text_buffer_addf(to, "%08x", l->status);
    else if (strcmp(key, "lat") == 0)
        add_degrees(to, l->latitude_e6);
    else if (strcmp(key, "lon") == 0)
        add_degrees(to, l->longitude_e6);
    else if (strcmp(key, "time") == 0)
        add_time(to, l->at, l->time);
    else if (strcmp(key, "faults") == 0)
        add_faults(to, l->alarm, dialect);
    else if (strcmp(key, "items") == 0)
        add_items(to, l);
    else if (strcmp(key, "range") == 0)
        text_buffer_adds(to, l->in_range ? "good" : "bad");
    else
        return false;
    return true;
}

/* --- The keys of each message */

struct decoded {
    const struct jt808_message *m;
    struct jt808_location location; /* 0200, 0201, 0202 */
};

static bool reply_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_reply r;

    assert_true(jt808_reply_read(m->body, m->length, &r));
    if (strcmp(key, "reply_serial") == 0)
        text_buffer_addf(to, "%u", r.serial);
    else if (strcmp(key, "reply_id") == 0)
        text_buffer_addf(to, "%04x", r.id);
    else if (strcmp(key, "result") == 0)
        text_buffer_addf(to, "%u", r.result);
    else
        return false;
    return true;
}

/* Texts and numbers of a struct by name. */
struct named_text {
    const char *key;
    struct jt808_text text;
};
struct named_number {
    const char *key;
    const char *format;
    unsigned number;
};

static bool named_key(struct text_buffer *to, const struct named_text *texts, size_t text_count,
                      const struct named_number *numbers, size_t number_count, const char *key)
{
    for (size_t i = 0; i < text_count; i++)
        if (strcmp(texts[i].key, key) == 0) {
            add_text(to, texts[i].text);
            return true;
        }
    for (size_t i = 0; i < number_count; i++)
        if (strcmp(numbers[i].key, key) == 0) {
            char hex[12];

            (void)snprintf(hex, sizeof hex, numbers[i].format[1] == '0' ? "%02x" : "%u",
                           numbers[i].number);
            text_buffer_adds(to, hex);
            return true;
        }
    return false;
}

static bool register_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_register r;

    assert_true(jt808_register_read(m->body, m->length, m->dialect, &r));
    const struct named_text texts[] = { { "maker", r.maker },
                                        { "model", r.model },
                                        { "terminal_id", r.terminal },
                                        { "plate", r.plate } };
    const struct named_number numbers[] = { { "province", "%u", r.province },
                                            { "city", "%u", r.city },
                                            { "plate_color", "%u", r.plate_colour },
                                            { "layout", "%u", (unsigned)r.layout } };
    return named_key(to, texts, LENGTH(texts), numbers, LENGTH(numbers), key);
}

static bool register_reply_key(struct text_buffer *to, const struct jt808_message *m,
                               const char *key)
{
    struct jt808_register_reply r;

    assert_true(jt808_register_reply_read(m->body, m->length, &r));
    const struct named_text texts[] = { { "auth_code", r.code } };
    const struct named_number numbers[] = { { "reply_serial", "%u", r.serial },
                                            { "result", "%u", r.result } };
    return named_key(to, texts, LENGTH(texts), numbers, LENGTH(numbers), key);
}

static bool auth_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_auth a;

    assert_true(jt808_auth_read(m->body, m->length, m->dialect, &a));
    const struct named_text texts[] = { { "auth_code", a.code },
                                        { "imei", a.imei },
                                        { "software", a.software } };
    return named_key(to, texts, LENGTH(texts), NULL, 0, key);
}

static bool attributes_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_attributes a;

    assert_true(jt808_attributes_read(m->body, m->length, m->dialect, &a));
    const struct named_text texts[] = {
        { "maker", a.maker },          { "model", a.model },
        { "terminal_id", a.terminal }, { "hw", a.hardware },
        { "fw", a.firmware },          { "iccid", { (const uint8_t *)a.iccid, strlen(a.iccid) } },
    };
    const struct named_number numbers[] = { { "type", "%u", a.type },
                                            { "gnss_props", "%02x", a.gnss },
                                            { "comm_props", "%02x", a.radio },
                                            { "tail", "%u", 0 } };
    return named_key(to, texts, LENGTH(texts), numbers, LENGTH(numbers), key);
}

static bool parameters_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_parameter p;
    char hex[2 * 255 + 1];
    size_t at = 0;

    if (strcmp(key, "reply_serial") == 0) {
        text_buffer_addf(to, "%u", jt808_word(m->body));
        return true;
    }
    if (strcmp(key, "n") == 0) {
        text_buffer_addf(to, "%u", m->body[2]);
        return true;
    }
    if (strcmp(key, "params") != 0)
        return false;
    while (jt808_parameter_next(m->body, m->length, m->dialect, &at, &p)) {
        jt808_hex(hex, p.value, p.length);
        text_buffer_addf(to, m->dialect == JT905_2014 ? "%s%04x:%s" : "%s%08x:%s",
                         to->length > 0 ? "," : "", p.id, hex);
    }
    if (m->length >= at + 5 && m->dialect != JT905_2014)
        text_buffer_addf(to, "%s%08x:TRUNC", to->length > 0 ? "," : "", jt808_dword(m->body + at));
    return true;
}

static void add_record(struct text_buffer *to, const struct jt808_location *l,
                       enum jt808_dialect dialect)
{
    static const char *const keys[] = { "alarm",      "status", "lat", "lon",
                                        "speed_dkmh", "course", "time" };

    for (size_t i = 0; i < LENGTH(keys); i++) {
        text_buffer_addf(to, "%s%s:", i > 0 ? "|" : "", keys[i]);
        assert_true(location_key(to, l, dialect, keys[i]));
    }
}

static bool batch_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt808_location l;
    const uint8_t *report;
    size_t at = 0, length;
    int count = 0, wanted = key[0] == 'r' ? atoi(key + 1) : 0;

    while (jt808_batch_next(m->body, m->length, m->dialect, &at, &report, &length)) {
        assert_true(jt808_location_read(report, length, m->dialect, false, &l));
        if (++count == wanted)
            add_record(to, &l, m->dialect);
    }
    if (strcmp(key, "decoded") == 0)
        text_buffer_addf(to, "%d", count);
    else if (strcmp(key, "count") == 0)
        text_buffer_addf(to, "%u", jt808_word(m->body));
    else if (strcmp(key, "batch_type") == 0)
        text_buffer_addf(to, "%u", m->body[2]);
    else
        return wanted > 0 && wanted <= count;
    return true;
}

static bool order_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt905_order o;

    assert_true(jt905_order_read(m->id, m->body, m->length, &o));
    if (strcmp(key, "want_time") == 0) {
        add_time(to, o.wanted_at, m->body + 5);
        return true;
    }
    const struct named_text texts[] = { { "text", o.place } };
    const struct named_number numbers[] = { { "order_id", "%u", o.order },
                                            { "order_type", "%u", o.kind },
                                            { "won", "%u", o.won },
                                            { "reason", "%u", o.reason } };
    return named_key(to, texts, LENGTH(texts), numbers, LENGTH(numbers), key);
}

static bool trip_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt905_trip t;

    assert_true(jt905_trip_read(m->body, m->length, false, &t));
    if (strncmp(key, "start_", 6) == 0)
        return location_key(to, &t.start, m->dialect, key + 6);
    if (strncmp(key, "end_", 4) == 0)
        return location_key(to, &t.end, m->dialect, key + 4);
    const struct named_number numbers[] = { { "trip_id", "%u", t.trip },
                                            { "order_id", "%u", t.order },
                                            { "rating", "%u", t.rating } };
    return named_key(to, NULL, 0, numbers, LENGTH(numbers), key);
}

static void add_isu(struct text_buffer *to, const struct jt905_device *d)
{
    const uint8_t *v = d->value;
    char number[11], software[5];

    jt808_hex(number, v, 5);
    jt808_hex(software, v + 6, 2);
    text_buffer_addf(to, "type:00|dev:%s|hw:%02x|sw:%s|status:%08x|alarm:%08x|faults:", number,
                     v[5], software, jt808_dword(v + 8), jt808_dword(v + 12));
    add_faults(to, jt808_dword(v + 12), JT905_2014);
    text_buffer_addf(to, "|cache:%u/%u/%u/%u", v[16], v[17], v[18], v[19]);
}

static void add_lamp(struct text_buffer *to, const struct jt905_device *d)
{
    const uint8_t *v = d->value;
    char number[11];

    jt808_hex(number, v, 5);
    text_buffer_addf(to, "type:05|dev:%s|hw:%02x|sw:%02x.%02x|state:%02x|show:%02x|night:%02x",
                     number, v[5], v[6], v[7], v[8], v[9], v[10]);
}

static bool devices_key(struct text_buffer *to, const struct jt808_message *m, const char *key)
{
    struct jt905_device d;
    size_t at = 0;
    int wanted = atoi(key + 1);

    for (int n = 1; jt905_device_next(m->body, m->length, &at, &d); n++) {
        if (n != wanted)
            continue;
        if (d.type == JT905_DEVICE_ISU)
            add_isu(to, &d);
        else
            add_lamp(to, &d);
        return true;
    }
    return false;
}

static bool location_message_key(struct text_buffer *to, const struct jt808_message *m,
                                 const char *key)
{
    size_t skip = m->id == JT808_LOCATION_REPLY ? 2 : 0;
    struct jt808_location l;

    assert_true(jt808_location_read(m->body + skip, m->length - skip, m->dialect, false, &l));
    if (strcmp(key, "reply_serial") == 0) {
        text_buffer_addf(to, "%u", jt808_word(m->body));
        return true;
    }
    if (strcmp(key, "items_err") == 0)
        return l.items_overrun;
    return location_key(to, &l, m->dialect, key);
}

static const struct {
    uint16_t id;
    bool (*key)(struct text_buffer *to, const struct jt808_message *m, const char *key);
} messages[] = {
    { JT808_REPLY, reply_key },
    { JT808_PLATFORM_REPLY, reply_key },
    { JT808_REGISTER, register_key },
    { JT808_REGISTER_REPLY, register_reply_key },
    { JT808_AUTHENTICATE, auth_key },
    { JT808_ATTRIBUTES, attributes_key },
    { JT808_PARAMETERS, parameters_key },
    { JT808_LOCATION, location_message_key },
    { JT808_LOCATION_REPLY, location_message_key },
    { JT905_TRACK_REPORT, location_message_key },
    { JT808_LOCATION_BATCH, batch_key },
    { JT905_BACKFILL, batch_key },
    { JT905_ORDER, order_key },
    { JT905_GRAB, order_key },
    { JT905_GRAB_RESULT, order_key },
    { JT905_DRIVER_CANCELS, order_key },
    { JT905_TRIP, trip_key },
    { JT905_INSPECTION, devices_key },
};

/* Keys that are about how the table was made, or that nobody here reads. */
static bool is_beside_the_point(const char *key)
{
    static const char *const keys[] = { "err", "rating_id", "rating_ext", "meter_len", "ext_len" };

    for (size_t i = 0; i < LENGTH(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static size_t compared;

static void compare_key(const struct jt808_message *m, const char *name, const char *key,
                        const char *want)
{
    for (size_t i = 0; i < LENGTH(messages); i++) {
        struct text_buffer got = { 0 };

        if (messages[i].id != m->id)
            continue;
        if (!messages[i].key(&got, m, key))
            fail_msg("%s: no %s", name, key);
        if (strcmp(key, "items_err") != 0 && strcmp(got.bytes ? got.bytes : "", want) != 0)
            fail_msg("%s: %s is %s, should be %s", name, key, got.bytes, want);
        text_buffer_finish(&got);
        compared++;
        return;
    }
}

static void compare_fields(const struct jt808_message *m, const char *name, const char *fields)
{
    char *copy = mem_strdup(fields), *rest = copy;

    /* The table's decoder knew a maker of 5 bytes alone; with 11 it comes out to the byte. */
    if (strstr(fields, "err=short_body")) {
        struct jt808_attributes a;

        assert_true(jt808_attributes_read(m->body, m->length, m->dialect, &a));
        assert_int_equal(a.hardware.length, 34);
        assert_memory_equal(a.hardware.bytes, "EC200AEUHAR01A26M16_", 20);
        free(copy);
        return;
    }
    for (char *field; (field = strsep(&rest, ";"));) {
        char *value = strchr(field, '=');

        if (!value)
            continue;
        *value++ = '\0';
        if (!is_beside_the_point(field))
            compare_key(m, name, field, value);
    }
    free(copy);
}

/* --- Frames */

struct cut {
    uint8_t frame[JT808_FRAME_MAX];
    size_t length, count;
    enum jt808_fault fault;
};

static bool keep(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct cut *cut = arg;

    cut->count++;
    cut->fault = fault;
    if (frame) {
        memcpy(cut->frame, frame, length);
        cut->length = length;
    }
    return true;
}

static void write_again(const struct jt808_message *m, const uint8_t *wire, size_t length,
                        const char *name)
{
    uint8_t again[JT808_WIRE_MAX];
    size_t n = jt808_write(again, m);

    if (n != length || memcmp(again, wire, n) != 0)
        fail_msg("%s: written again it is another", name);
}

/* Its sender does not escape its own id: we do. */
static bool has_stray_escape(const uint8_t *wire, size_t length)
{
    for (size_t i = 1; i + 1 < length; i++)
        if (wire[i] == 0x7d && wire[i + 1] != 1 && wire[i + 1] != 2)
            return true;
    return false;
}

/* Less of it came than its header says. */
static bool is_short(const struct row *head, const struct row *row)
{
    const char *declared = column(head, row, "len_declared"),
               *found = column(head, row, "len_actual");

    return declared && found && atoi(found) < atoi(declared);
}

static void check_frame(const struct row *head, const struct row *row, enum jt808_dialect known)
{
    uint8_t wire[HEX_MAX];
    size_t length = unhex(wire, column(head, row, "hex"));
    const char *name = row->columns[0], *quirk = column(head, row, "quirk");
    bool good = strcmp(column(head, row, "csum"), "ok") == 0;
    struct jt808_framer framer = { 0 };
    struct jt808_message m;
    struct cut cut = { 0 };

    assert_true(jt808_framer_feed(&framer, wire, length, keep, &cut));
    jt808_framer_reset(&framer);
    assert_int_equal(cut.count, 1);
    if (!good || is_short(head, row)) {
        assert_true(cut.fault != JT808_WELL ||
                    jt808_read(cut.frame, cut.length, known, &m) != JT808_WELL);
        return;
    }
    if (cut.fault != JT808_WELL)
        fail_msg("%s: %s", name, jt808_fault_name(cut.fault));
    if (jt808_read(cut.frame, cut.length, known, &m) != JT808_WELL)
        fail_msg("%s is refused", name);
    assert_int_equal(m.id, strtoul(column(head, row, "msg_id"), NULL, 16));
    assert_string_equal(m.sender, column(head, row, "id"));
    assert_int_equal(m.serial, atoi(column(head, row, "serial")));
    if (m.layout_quirk != (quirk && strstr(quirk, "layout") != NULL))
        fail_msg("%s: the layout is a quirk: %d", name, m.layout_quirk);
    if (m.longer_than_declared != (quirk && strcmp(quirk, "length_mismatch") == 0))
        fail_msg("%s: it is longer than declared: %d", name, m.longer_than_declared);
    if (m.longer_than_declared)
        return; /* its decode is of the bytes as found, and no demand */
    if (!m.is_part)
        compare_fields(&m, name, column(head, row, "fields"));
    if (!has_stray_escape(wire, length))
        write_again(&m, wire, length, name);
}

static void check_808(const struct row *head, const struct row *row)
{
    check_frame(head, row, JT808_UNKNOWN);
}

static void check_905(const struct row *head, const struct row *row)
{
    check_frame(head, row, JT905_2014);
}

static void test_808(void **state)
{
    (void)state;
    compared = 0;
    assert_int_equal(each_row("jtt808.tsv", check_808), 186);
    assert_true(compared > 900);
}

static void test_905(void **state)
{
    (void)state;
    compared = 0;
    assert_int_equal(each_row("jtt905.tsv", check_905), 31);
    assert_int_equal(each_row("jtt905-made.tsv", check_905), 10);
    assert_true(compared > 200);
}

/* --- Streams */

struct frames {
    char hex[HEX_MAX];
    size_t bad;
};

static bool add_frame(void *arg, enum jt808_fault fault, const uint8_t *frame, size_t length)
{
    struct frames *frames = arg;
    struct jt808_message m;
    size_t used = strlen(frames->hex);

    if (fault == JT808_WELL && length > 5)
        fault = jt808_read(frame, length, JT808_UNKNOWN, &m);
    if (fault != JT808_WELL) {
        frames->bad++;
        return true;
    }
    if (used > 0)
        frames->hex[used++] = ',';
    jt808_hex(frames->hex + used, frame, length);
    return true;
}

/* The frames as the table shows them, un-escaped. */
static void un_escape(char *to, const char *frames, bool escaped)
{
    struct frames all = { 0 };
    struct jt808_framer framer = { 0 };
    uint8_t wire[HEX_MAX];
    char *copy = mem_strdup(frames), *rest = copy;

    for (char *one; (one = strsep(&rest, ","));) {
        size_t length = unhex(wire, one);

        if (escaped)
            (void)jt808_framer_feed(&framer, wire, length, add_frame, &all);
        else
            (void)add_frame(&all, JT808_WELL, wire + 1, length - 2);
    }
    jt808_framer_reset(&framer);
    strcpy(to, all.hex);
    free(copy);
}

/* In pieces of each size, so that a frame is split everywhere, within an escape pair, too. */
static void check_stream(const struct row *head, const struct row *row)
{
    uint8_t wire[HEX_MAX];
    size_t length = unhex(wire, column(head, row, "stream_hex"));
    bool escaped = strcmp(column(head, row, "frames_are"), "escaped") == 0;
    bool error = strcmp(column(head, row, "decode_error"), "true") == 0;
    char want[HEX_MAX];

    un_escape(want, column(head, row, "frames_hex"), escaped);
    for (size_t piece = 1; piece <= length; piece++) {
        struct frames got = { 0 };
        struct jt808_framer framer = { 0 };

        for (size_t at = 0; at < length; at += piece)
            (void)jt808_framer_feed(&framer, wire + at, length - at < piece ? length - at : piece,
                                    add_frame, &got);
        assert_null(framer.partial);
        jt808_framer_reset(&framer);
        assert_string_equal(got.hex, want);
        assert_int_equal(got.bad > 0, error);
    }
}

static void test_streams(void **state)
{
    (void)state;
    assert_int_equal(each_row("streams.tsv", check_stream), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_808),
        cmocka_unit_test(test_905),
        cmocka_unit_test(test_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
