/* Times as strangers write them, across the changes of clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "item_time.h"

static struct zone berlin, shanghai;

static void test_parse(void **state)
{
    static const struct {
        const char *what;
        enum item_time format;
        const struct zone *zone;
        const char *text, *want; /* NULL: no time */
    } cases[] = {
        { "local", ITEM_TIME_LOCAL, &shanghai, "2026-11-20 18:00:00", "2026-11-20T10:00:00.000Z" },
        { "a T", ITEM_TIME_LOCAL, &shanghai, "2026-11-20T18:00:00", "2026-11-20T10:00:00.000Z" },
        { "as a sheet writes it", ITEM_TIME_LOCAL, &shanghai, "2026/3/5 8:05",
          "2026-03-05T00:05:00.000Z" },
        { "decimals", ITEM_TIME_LOCAL, &shanghai, "2026-11-20 18:00:00.0",
          "2026-11-20T10:00:00.000Z" },
        { "more decimals than we keep", ITEM_TIME_LOCAL, &shanghai, "2026-11-20 18:00:00.123999",
          "2026-11-20T10:00:00.123Z" },
        { "blanks around", ITEM_TIME_LOCAL, &shanghai, " 2026-11-20 18:00:00 ",
          "2026-11-20T10:00:00.000Z" },
        { "summer", ITEM_TIME_LOCAL, &berlin, "2026-07-01 12:00:00", "2026-07-01T10:00:00.000Z" },
        { "winter", ITEM_TIME_LOCAL, &berlin, "2026-12-01 12:00:00", "2026-12-01T11:00:00.000Z" },
        { "an hour that was skipped", ITEM_TIME_LOCAL, &berlin, "2026-03-29 02:30:00",
          "2026-03-29T01:30:00.000Z" },
        { "an hour that came twice: the first", ITEM_TIME_LOCAL, &berlin, "2026-10-25 02:30:00",
          "2026-10-25T00:30:00.000Z" },
        { "behind it", ITEM_TIME_LOCAL, &berlin, "2026-10-25 03:00:00",
          "2026-10-25T02:00:00.000Z" },
        { "before it", ITEM_TIME_LOCAL, &berlin, "2026-10-25 01:59:59",
          "2026-10-24T23:59:59.000Z" },
        { "an offset is believed", ITEM_TIME_LOCAL, &berlin, "2026-11-20T18:00:00+08:00",
          "2026-11-20T10:00:00.000Z" },
        { "RFC 3339", ITEM_TIME_RFC3339, &berlin, "2026-11-20T18:00:00.5+08:00",
          "2026-11-20T10:00:00.500Z" },
        { "Z", ITEM_TIME_RFC3339, &berlin, "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000Z" },
        { "no colon in the offset", ITEM_TIME_RFC3339, &berlin, "2026-11-20T18:00:00.000+0800",
          "2026-11-20T10:00:00.000Z" },
        { "west", ITEM_TIME_RFC3339, &berlin, "2026-11-20T05:30:00-04:30",
          "2026-11-20T10:00:00.000Z" },
        { "RFC 3339 without an offset", ITEM_TIME_RFC3339, &berlin, "2026-11-20T18:00:00", NULL },
        { "seconds", ITEM_TIME_EPOCH, &berlin, "1795168800", "2026-11-20T10:00:00.000Z" },
        { "seconds with decimals", ITEM_TIME_EPOCH, &berlin, "1795168800.25",
          "2026-11-20T10:00:00.250Z" },
        { "milliseconds", ITEM_TIME_EPOCH_MS, &berlin, "1795168800123",
          "2026-11-20T10:00:00.123Z" },
        { "a float of milliseconds", ITEM_TIME_EPOCH_MS, &berlin, "1795168800123.0",
          "2026-11-20T10:00:00.123Z" },
        { "words", ITEM_TIME_LOCAL, &berlin, "yesterday", NULL },
        { "no such day", ITEM_TIME_LOCAL, &berlin, "2026-02-30 10:00:00", NULL },
        { "no such hour", ITEM_TIME_LOCAL, &berlin, "2026-02-20 24:00:00", NULL },
        { "only a date", ITEM_TIME_LOCAL, &berlin, "2026-02-20", NULL },
        { "something behind it", ITEM_TIME_LOCAL, &berlin, "2026-02-20 10:00:00 x", NULL },
        { "nothing", ITEM_TIME_LOCAL, &berlin, "", NULL },
        { "before 1970", ITEM_TIME_LOCAL, &berlin, "1969-02-20 10:00:00", NULL },
        { "negative", ITEM_TIME_EPOCH, &berlin, "-5", NULL },
        { "too many digits", ITEM_TIME_EPOCH_MS, &berlin, "12345678901234567890", NULL },
        { "past the year 9999", ITEM_TIME_EPOCH, &berlin, "999999999999", NULL },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t at = -1, want;
        bool well = item_time_parse(cases[i].format, cases[i].zone, cases[i].text,
                                    strlen(cases[i].text), &at);

        print_message("# %s\n", cases[i].what);
        assert_int_equal(well, cases[i].want != NULL);
        if (!cases[i].want)
            continue;
        assert_true(instant_parse(cases[i].want, strlen(cases[i].want), &want));
        assert_int_equal(at, want);
    }
}

/* What we write into a request can be read back, whatever the format. */
static void test_format(void **state)
{
    char text[ITEM_TIME_SIZE];
    int64_t back;

    (void)state;
    for (int format = ITEM_TIME_LOCAL; format <= ITEM_TIME_EPOCH_MS; format++) {
        item_time_format(text, (enum item_time)format, &shanghai, INT64_C(1795168800000));
        assert_true(item_time_parse((enum item_time)format, &shanghai, text, strlen(text), &back));
        assert_int_equal(back, INT64_C(1795168800000));
    }
    assert_string_equal(item_time_format(text, ITEM_TIME_LOCAL, &shanghai, INT64_C(1795168800000)),
                        "2026-11-20 18:00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
    };
    struct err err;
    int failed;

    if (zone_load(&berlin, "Europe/Berlin", &err) < 0 ||
        zone_load(&shanghai, "Asia/Shanghai", &err) < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    zone_finish(&berlin);
    zone_finish(&shanghai);
    return failed;
}
