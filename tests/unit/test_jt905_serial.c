/* Frames of the peripherals' line: the table of tests/data/jtt808/serial905.tsv decoded key by key
 * and written again to the same bytes; streams with garbage, and with 55 aa inside; the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/text.h"
#include "jt808_location.h"
#include "jt905_serial.h"
#include "show_state.h"

/* --- The table */

enum { CASE, ORIGIN, DIRECTION, DEVICE, MAKER, COMMAND, COUNTED, CHECK, FIELDS, HEX, COLUMNS };

/* What a frame says, as the table writes it. */
static void describe(struct text_buffer *to, const struct jt905_frame *f, const char *direction)
{
    struct jt905_lamp_state s;
    char at_text[INSTANT_SIZE];
    int64_t at;

    if (f->command == JT905_LAMP_RESET) {
        text_buffer_adds(to, "reset");
    } else if (f->command == JT905_LAMP_SHOW) {
        text_buffer_addf(to, "show=%02x", f->data[0]);
    } else if (strcmp(direction, "from_lamp") == 0) {
        assert_true(jt905_lamp_state_read(f->data, f->length, &s));
        text_buffer_addf(to, "dev=%s;hw=%02x;sw=%02x.%02x;state=%02x;show=%02x;night=%02x;",
                         s.device_number, s.hardware, s.firmware_main, s.firmware_minor,
                         s.device_state, s.show_state, s.night_mode);
        text_buffer_addf(to, "healthy=%d", s.device_state == 0);
    } else {
        assert_int_equal(f->length, JT905_TIME_LENGTH);
        assert_true(jt905_time_read(f->data, &at));
        instant_format(at_text, at, JT808_OFFSET_S);
        text_buffer_addf(to, "time=%.19s%s", at_text, at_text + 23); /* without milliseconds */
    }
}

/* The data of a frame from what was read of it. */
static size_t write_again(uint8_t *to, const struct jt905_frame *f, const char *direction)
{
    struct jt905_frame again = *f;
    struct jt905_lamp_state s;
    uint8_t data[JT905_DATA_MAX];
    int64_t at;

    if (f->command == JT905_LAMP_STATE && strcmp(direction, "from_lamp") == 0) {
        assert_true(jt905_lamp_state_read(f->data, f->length, &s));
        jt905_lamp_state_write(data, &s);
        again.data = data;
    } else if (f->command == JT905_LAMP_STATE) {
        assert_true(jt905_time_read(f->data, &at));
        jt905_time_write(data, at);
        again.data = data;
    }
    return jt905_serial_write(to, &again);
}

static void check_row(char *columns[COLUMNS])
{
    uint8_t bytes[JT905_SERIAL_MAX], again[JT905_SERIAL_MAX];
    size_t length = strlen(columns[HEX]) / 2, used, garbage;
    struct text_buffer text = { 0 };
    struct jt905_frame f;

    print_message("# %s\n", columns[CASE]);
    assert_true(jt808_unhex(bytes, columns[HEX], length));
    assert_true(jt905_serial_find(bytes, length, false, &f, &used, &garbage));
    assert_int_equal(used, length);
    assert_int_equal(garbage, 0);
    assert_int_equal(f.device_type, strtoul(columns[DEVICE], NULL, 16));
    assert_int_equal(f.maker, strtoul(columns[MAKER], NULL, 16));
    assert_int_equal(f.command, strtoul(columns[COMMAND], NULL, 16));
    assert_int_equal(f.length + 4, strtoul(columns[COUNTED], NULL, 10));
    assert_int_equal(bytes[length - 3], strtoul(columns[CHECK], NULL, 16));
    describe(&text, &f, columns[DIRECTION]);
    assert_string_equal(text.bytes, columns[FIELDS]);
    text_buffer_finish(&text);
    assert_int_equal(write_again(again, &f, columns[DIRECTION]), length);
    assert_memory_equal(again, bytes, length);
}

static void test_table(void **state)
{
    FILE *file = fopen("tests/data/jtt808/serial905.tsv", "r");
    char *line = NULL, *columns[COLUMNS];
    size_t size = 0, rows = 0;

    (void)state;
    assert_non_null(file);
    assert_true(getline(&line, &size, file) > 0);
    for (; getline(&line, &size, file) > 0; rows++) {
        char *rest = line;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < COLUMNS; i++)
            assert_non_null(columns[i] = strsep(&rest, "\t"));
        check_row(columns);
    }
    assert_int_equal(rows, 6);
    free(line);
    fclose(file);
}

/* --- Streams */

#define ASK    "55aa000b05000000202603100830002355aa"
#define RESET  "55aa0004050000010055aa"
/* Its data are 55 aa 00 04: a mark, and what may be a length. */
#define TRICKY "55aa0008050000 00 55aa0004 f6 55aa"

static size_t unhex(uint8_t *to, const char *hex)
{
    char digits[8192];
    size_t n = 0;

    for (; *hex; hex++)
        if (*hex != ' ')
            digits[n++] = *hex;
    digits[n] = '\0';
    assert_true(jt808_unhex(to, digits, n / 2));
    return n / 2;
}

/* Feeds `bytes` in pieces of `piece`; what is found, as "COMMAND/LENGTH ", then garbage and what
 * still waits. */
static char *feed(const uint8_t *bytes, size_t length, size_t piece, bool to_the_end)
{
    uint8_t buffer[2 * JT905_SERIAL_MAX];
    size_t have = 0, garbage_all = 0;
    struct text_buffer text = { 0 };

    for (size_t at = 0; at < length; at += piece) {
        size_t n = length - at < piece ? length - at : piece, used, garbage;
        struct jt905_frame f;
        bool is_found;

        memcpy(buffer + have, bytes + at, n);
        have += n;
        do {
            is_found = jt905_serial_find(buffer, have, to_the_end && at + n == length, &f, &used,
                                         &garbage);
            if (is_found)
                text_buffer_addf(&text, "%04x/%zu ", f.command, f.length);
            garbage_all += garbage;
            have -= used;
            memmove(buffer, buffer + used, have);
        } while (is_found);
    }
    text_buffer_addf(&text, "garbage %zu waits %zu", garbage_all, have);
    return text_buffer_take(&text);
}

static void test_streams(void **state)
{
    static const struct {
        const char *what, *hex;
        bool at_end;
        const char *want;
    } cases[] = {
        { "nothing", "", false, "garbage 0 waits 0" },
        { "two frames", ASK RESET, false, "0000/7 0001/0 garbage 0 waits 0" },
        { "noise before, between and behind", "00ff55" ASK "aa55" RESET "01", false,
          "0000/7 0001/0 garbage 6 waits 0" },
        { "half a frame waits", "55aa000b0500", false, "garbage 0 waits 6" },
        { "and is garbage when nothing follows", "55aa000b0500", true, "garbage 6 waits 0" },
        { "the first byte of a mark waits", "0055", false, "garbage 1 waits 1" },
        { "marks inside of the data", TRICKY RESET, false, "0000/4 0001/0 garbage 0 waits 0" },
        { "a frame whose beginning was lost", "0000 202603100830002355aa" RESET, false,
          "0001/0 garbage 12 waits 0" },
        { "a wrong check: the next counts", "55aa000b05000000202603100830002455aa" RESET, false,
          "0001/0 garbage 18 waits 0" },
        { "no mark behind the check", "55aa0004050000010055ab" RESET, false,
          "0001/0 garbage 11 waits 0" },
        { "a length below what every frame has", "55aa0003050000" RESET, false,
          "0001/0 garbage 7 waits 0" },
        { "a length above the limit", "55aa0401050000" RESET, false, "0001/0 garbage 7 waits 0" },
        { "a beginning that waits for 1024 bytes hides a frame", "55aa0400" RESET, false,
          "garbage 0 waits 15" },
        { "which counts when nothing follows", "55aa0400" RESET, true, "0001/0 garbage 4 waits 0" },
        { "a lost half, then its repetition", "55aa000b0500" ASK, true,
          "0000/7 garbage 6 waits 0" },
        { "doubled marks", "55aa55aa" RESET "55aa", false, "0001/0 garbage 4 waits 2" },
    };
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t length = unhex(bytes, cases[i].hex);

        print_message("# %s\n", cases[i].what);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            char *got = feed(bytes, length, piece, cases[i].at_end);

            assert_string_equal(got, cases[i].want);
            free(got);
        }
    }
}

static void test_longest(void **state)
{
    uint8_t data[JT905_DATA_MAX], bytes[JT905_SERIAL_MAX];
    const struct jt905_frame frame = { JT905_ROOF_LIGHT, 7, 0x8001, data, sizeof data };
    struct jt905_frame got;
    size_t used, garbage, length;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = i % 2 ? 0xaa : 0x55;
    length = jt905_serial_write(bytes, &frame);
    assert_int_equal(length, JT905_SERIAL_MAX);
    assert_false(jt905_serial_find(bytes, length - 1, false, &got, &used, &garbage));
    assert_int_equal(used, 0);
    assert_true(jt905_serial_find(bytes, length, false, &got, &used, &garbage));
    assert_int_equal(got.length, sizeof data);
    assert_memory_equal(got.data, data, sizeof data);
}

/* --- Data */

static void test_state_lengths(void **state)
{
    uint8_t data[32] = { 0 };
    struct jt905_lamp_state s;

    (void)state;
    for (size_t n = 0; n < sizeof data; n++)
        assert_int_equal(jt905_lamp_state_read(data, n, &s), n == 16);
}

/* Makers leave a number unset as ff: it is shown as it is, and lost nowhere. */
static void test_state_is_kept(void **state)
{
    uint8_t data[16], again[16];
    struct jt905_lamp_state s;

    (void)state;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(0xff - i);
    assert_true(jt905_lamp_state_read(data, sizeof data, &s));
    assert_string_equal(s.device_number, "fffefdfcfb");
    jt905_lamp_state_write(again, &s);
    assert_memory_equal(again, data, sizeof data);
}

static void test_times(void **state)
{
    static const struct {
        const char *hex;
        bool is_time;
    } cases[] = {
        { "20260310083000", true },  { "20991231235959", true },  { "20000101000000", true },
        { "20260230000000", false }, { "20260310240000", false }, { "2026031008300a", false },
        { "19990101000000", false }, { "00000000000000", false },
    };
    uint8_t bytes[7], again[7];
    int64_t at;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].hex);
        assert_true(jt808_unhex(bytes, cases[i].hex, 7));
        assert_int_equal(jt905_time_read(bytes, &at), cases[i].is_time);
        if (!cases[i].is_time)
            continue;
        jt905_time_write(again, at);
        assert_memory_equal(again, bytes, 7);
    }
}

static void test_show_names(void **state)
{
    (void)state;
    assert_string_equal(show_state_name(0), "vacant");
    assert_string_equal(show_state_name(6), "shift_change");
    assert_null(show_state_name(7));
    assert_null(show_state_name(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_streams),
        cmocka_unit_test(test_longest),       cmocka_unit_test(test_state_lengths),
        cmocka_unit_test(test_state_is_kept), cmocka_unit_test(test_times),
        cmocka_unit_test(test_show_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
