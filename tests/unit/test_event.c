/* Events: what law 1 takes, what it refuses and in which words, the order, and the names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kpi/event.h"

static struct kpi kpis[] = {
    { .id = "install_success", .counts = "install" },
    { .id = "fault_rate", .counts = "device", .counts_devices = true },
    { .id = "visits", .counts = "vip_visit-2" },
};
static const struct rules rules = { .kpis = kpis, .kpi_count = LENGTH(kpis) };

/* Parses; on refusal the whole reason is compared, on success NULL is wanted. */
static void check(const char *what, const char *json, size_t length, const char *want)
{
    struct event e = { .type = EVENT_NONE };
    struct reject reject = { .field = "untouched" };
    bool taken = event_parse(json, length, &rules, &e, &reject);

    print_message("# %s\n", what);
    if (!want && !taken)
        fail_msg("refused: %s", reject.reason);
    if (!want) {
        assert_string_equal(reject.field, "untouched");
        return;
    }
    assert_false(taken);
    assert_int_equal(e.type, EVENT_NONE);
    assert_string_equal(reject.reason, want);
    if (reject.field[0] != '\0')
        assert_int_equal(strncmp(reject.reason, reject.field, strlen(reject.field)), 0);
}

#define HEAD "{\"source\":\"desk\",\"id\":\"1\",\"at\":\"2026-11-16T09:00:00+08:00\","
#define OPENED HEAD "\"type\":\"install.opened\",\"ticket\":\"I-1\""

struct line {
    const char *what;
    const char *json;
    const char *reason;     /* NULL: taken */
};

static void check_all(const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(lines[i].what, lines[i].json, strlen(lines[i].json), lines[i].reason);
}

/* What is as plain as it can be is read another way than the rest: with a blank at its end, with a
 * letter escaped, with a list beside it, it is the same event. */
static void test_both_ways_read_alike(void **state)
{
    static const char *const members[] = {
        "\"source\":\"desk\"", "\"id\":\"1\"", "\"at\":\"2026-11-16T09:00:00+08:00\"",
        "\"type\":\"install.settled\"", "\"ticket\":\"I-1\"", "\"outcome\":\"success\"",
        "\"site\":\"西城\"", "\"reason\":\"\"", "\"unknown\" : \"x\"", "\"unknown\":\"y\"",
        "\"id\":\"2\"", "\"at\":\"noon\"", "\"input\":\"x\"", "\"evidence\":\"x\"",
    };
    static const char *const ends[] = { "} ", ",\"z\":[1]}", ",\"z\":\"\\n\"}" };
    static const size_t needed = 6;

    (void)state;
    srandom(7);
    for (int round = 0; round < 3000; round++) {
        char plain[512] = "{", other[600];
        struct event a = { .type = EVENT_NONE }, b = { .type = EVENT_NONE };
        struct reject why_a = { .field = "" }, why_b = { .field = "" };
        size_t extra = (size_t)random() % (LENGTH(members) - needed + 1);

        for (size_t i = 0; i < needed + extra; i++) {
            if (random() % 40 == 0)
                continue;
            strcat(plain, strlen(plain) > 1 ? random() % 5 ? "," : " , " : "");
            strcat(plain, members[i]);
        }
        strcat(plain, "}");
        for (size_t i = 0; i < LENGTH(ends); i++) {
            snprintf(other, sizeof other, "%.*s%s", (int)strlen(plain) - 1, plain, ends[i]);
            assert_int_equal(event_parse(plain, strlen(plain), &rules, &a, &why_a),
                             event_parse(other, strlen(other), &rules, &b, &why_b));
            assert_memory_equal(&a, &b, sizeof a);
            assert_string_equal(why_a.reason, why_b.reason);
        }
    }
}

static void test_every_field_arrives(void **state)
{
    static const char json[] =
        " {\"source\":\"front-desk_2\",\"id\":\"fd/7\",\"type\":\"install.amended\","
        "\"at\":\"2026-11-16T09:00:00.250+08:00\",\"ticket\":\"I-1\",\"device\":\"d1\","
        "\"site\":\"east\",\"department\":\"installation\",\"staff\":\"\\u5f20\",\"vehicle\":"
        "\"\xe5\xb7\x9d" "A\",\"model\":\"GT-\\\"100\\\"\",\"outcome\":\"excluded\",\"reason\":"
        "\"\\ud83d\\ude95 no\\u0009show\",\"by\":\"liu\",\"code\":\"led\","
        "\"evidence\":{\"a\":[1,null,{}]},\"later\":[[[true]]]} \r\n";
    struct event e;
    struct reject reject;
    char type[KIND_SIZE + 16];

    (void)state;
    assert_true(event_parse(json, sizeof json - 1, &rules, &e, &reject));
    assert_string_equal(e.source, "front-desk_2");
    assert_string_equal(e.id, "fd/7");
    assert_int_equal(e.type, EVENT_AMENDED);
    assert_string_equal(e.kind, "install");
    assert_string_equal(event_type_format(type, &e), "install.amended");
    assert_int_equal(e.at, INT64_C(1794790800250));
    assert_string_equal(e.ticket, "I-1");
    assert_string_equal(e.device, "d1");
    assert_string_equal(e.site, "east");
    assert_string_equal(e.department, "installation");
    assert_string_equal(e.staff, "\xe5\xbc\xa0");
    assert_string_equal(e.vehicle, "\xe5\xb7\x9d" "A");
    assert_string_equal(e.model, "GT-\"100\"");
    assert_int_equal(e.outcome, OUTCOME_EXCLUDED);
    assert_string_equal(e.reason, "\xf0\x9f\x9a\x95 no\tshow");
    assert_string_equal(e.by, "liu");
    assert_string_equal(e.code, "led");
    assert_string_equal(e.input, "");
    assert_string_equal(event_subject(&e), "I-1");
}

/* law 1.fields: what each type requires. */
static void test_types(void **state)
{
    static const struct line lines[] = {
        { "opened", OPENED "}", NULL },
        { "opened without a ticket", HEAD "\"type\":\"install.opened\"}", "ticket: missing" },
        { "settled", HEAD "\"type\":\"install.settled\",\"ticket\":\"1\",\"outcome\":"
          "\"success\"}", NULL },
        { "settled without an outcome", HEAD "\"type\":\"install.settled\",\"ticket\":\"1\"}",
          "outcome: missing" },
        { "reopened", HEAD "\"type\":\"install.reopened\",\"ticket\":\"1\"}", NULL },
        { "amended, attributes alone", HEAD "\"type\":\"install.amended\",\"ticket\":\"1\","
          "\"reason\":\"x\",\"by\":\"li\"}", NULL },
        { "amended without a reason", HEAD "\"type\":\"install.amended\",\"ticket\":\"1\","
          "\"by\":\"li\"}", "reason: missing" },
        { "amended by nobody", HEAD "\"type\":\"install.amended\",\"ticket\":\"1\","
          "\"reason\":\"x\"}", "by: missing" },
        { "a kind with digits and signs", HEAD "\"type\":\"vip_visit-2.opened\",\"ticket\":"
          "\"1\"}", NULL },
        { "a kind that nobody counts", HEAD "\"type\":\"nonsense.opened\",\"ticket\":\"1\"}",
          "type: no KPI counts \"nonsense\" tickets" },
        { "commissioned", HEAD "\"type\":\"device.commissioned\",\"device\":\"d\"}", NULL },
        { "commissioned without a device", HEAD "\"type\":\"device.commissioned\"}",
          "device: missing" },
        { "decommissioned", HEAD "\"type\":\"device.decommissioned\",\"device\":\"d\"}", NULL },
        { "faulted", HEAD "\"type\":\"device.faulted\",\"device\":\"d\",\"code\":\"led\"}", NULL },
        { "faulted without a code", HEAD "\"type\":\"device.faulted\",\"device\":\"d\"}",
          "code: missing" },
        { "recovered without a code", HEAD "\"type\":\"device.recovered\",\"device\":\"d\"}",
          "code: missing" },
        { "device is no kind of ticket", HEAD "\"type\":\"device.opened\",\"ticket\":\"1\"}",
          "type: \"device.opened\" is no type of event" },
        { "source is no kind of ticket", HEAD "\"type\":\"source.settled\",\"ticket\":\"1\"}",
          "type: \"source.settled\" is no type of event" },
        { "a ticket does not fault", HEAD "\"type\":\"install.faulted\",\"device\":\"d\"}",
          "type: \"install.faulted\" is no type of event" },
        { "an unknown verb", HEAD "\"type\":\"install.vanished\",\"ticket\":\"1\"}",
          "type: \"install.vanished\" is no type of event" },
        { "no dot", HEAD "\"type\":\"install\"}", "type: \"install\" is no type of event" },
        { "no verb", HEAD "\"type\":\"install.\"}", "type: \"install.\" is no type of event" },
        { "no kind", HEAD "\"type\":\".opened\"}", "type: \".opened\" is no type of event" },
        { "two dots", HEAD "\"type\":\"a.b.opened\"}",
          "type: \"a.b.opened\" is no type of event" },
        { "a capital", HEAD "\"type\":\"Install.opened\"}",
          "type: \"Install.opened\" is no type of event" },
        { "a kind of 33 bytes", HEAD "\"type\":\"abcdefghijklmnopqrstuvwxyzabcdefg.opened\"}",
          "type: \"abcdefghijklmnopqrstuvwxyzabcdefg.opened\" is no type of event" },
    };

    (void)state;
    check_all(lines, LENGTH(lines));
}

/* law 7.edges: edges of inputs come from kpid alone, and `input` is known to them alone. */
static void test_edges_of_inputs(void **state)
{
#define KPID "{\"source\":\"kpid\",\"id\":\"1\",\"at\":\"2026-11-16T09:00:00Z\","
    static const struct line lines[] = {
        { "lost", KPID "\"type\":\"source.lost\",\"input\":\"fleet\"}", NULL },
        { "found", KPID "\"type\":\"source.found\",\"input\":\"fleet\"}", NULL },
        { "from somebody else", HEAD "\"type\":\"source.lost\",\"input\":\"fleet\"}",
          "source: only kpid itself knows what became of its inputs" },
        { "no input", KPID "\"type\":\"source.lost\"}", "input: missing" },
        { "no name", KPID "\"type\":\"source.lost\",\"input\":\"A fleet\"}",
          "input: must be the name of one input" },
        { "no string", KPID "\"type\":\"source.lost\",\"input\":7}",
          "input: must be the name of one input" },
        { "a list", KPID "\"type\":\"source.lost\",\"input\":[\"fleet\"]}",
          "input: must be the name of one input" },
        { "twice", KPID "\"type\":\"source.lost\",\"input\":\"a\",\"input\":\"a\"}",
          "input: must be the name of one input" },
        { "unknown to others: no string", OPENED ",\"input\":{\"x\":null}}", NULL },
        { "unknown to others: twice", OPENED ",\"input\":\"A B\",\"input\":2}", NULL },
    };
    struct event e;
    struct reject reject;
    const char *json = KPID "\"type\":\"source.lost\",\"input\":\"fleet\"}";

    (void)state;
    check_all(lines, LENGTH(lines));
    assert_true(event_parse(json, strlen(json), &rules, &e, &reject));
    assert_string_equal(e.kind, "source");
    assert_string_equal(event_subject(&e), "fleet");
    json = OPENED ",\"input\":\"fleet\"}";
    assert_true(event_parse(json, strlen(json), &rules, &e, &reject));
    assert_string_equal(e.input, "");
}

static void test_missing_and_mistyped(void **state)
{
    static const struct line lines[] = {
        { "nothing", "{}", "source: missing" },
        { "no id", "{\"source\":\"a\"}", "id: missing" },
        { "no type", "{\"source\":\"a\",\"id\":\"1\"}", "type: missing" },
        { "no instant", "{\"source\":\"a\",\"id\":\"1\",\"type\":\"install.opened\","
          "\"ticket\":\"1\"}", "at: missing" },
        { "a number", OPENED ",\"site\":7}", "site: must be a string" },
        { "null", OPENED ",\"site\":null}", "site: must be a string" },
        { "a truth", OPENED ",\"by\":true}", "by: must be a string" },
        { "an object", OPENED ",\"code\":{\"a\":\"b\"}}", "code: must be a string" },
        { "a list", OPENED ",\"vehicle\":[]}", "vehicle: must be a string" },
        { "source is a number", "{\"source\":1}", "source: must be a string" },
        { "at is a number", "{\"at\":1794790800}", "at: must be a string" },
        { "twice", OPENED ",\"site\":\"a\",\"site\":\"a\"}", "site: given twice" },
        { "twice, once escaped", OPENED ",\"site\":\"a\",\"s\\u0069te\":\"a\"}",
          "site: given twice" },
        { "evidence twice", OPENED ",\"evidence\":1,\"evidence\":1}", "evidence: given twice" },
        { "an unknown field twice", OPENED ",\"x\":1,\"x\":2}", NULL },
        { "known names inside others", OPENED ",\"x\":{\"site\":7,\"type\":null}}", NULL },
        { "known names inside lists", OPENED ",\"x\":[{\"id\":[]},{\"id\":1}]}", NULL },
    };

    (void)state;
    check_all(lines, LENGTH(lines));
}

static void test_values(void **state)
{
    static const struct line lines[] = {
        { "an instant twice", HEAD "\"at\":\"x\"}", "at: given twice" },
        { "no offset", "{\"at\":\"2026-10-10 09:00\"}",
          "at: \"2026-10-10 09:00\" is no RFC 3339 time with an offset" },
        { "an impossible month", "{\"at\":\"2026-13-01T00:00:00Z\"}",
          "at: \"2026-13-01T00:00:00Z\" is no RFC 3339 time with an offset" },
        { "microseconds", "{\"at\":\"2026-10-10T09:00:00.000001Z\"}",
          "at: \"2026-10-10T09:00:00.000001Z\" is no RFC 3339 time with an offset" },
        { "an empty source", "{\"source\":\"\"}", "source: \"\" must be 1 to 32 of a-z 0-9 _ - "
          "and begin with a letter or digit" },
        { "a bad source", "{\"source\":\"Bad Source!\"}", "source: \"Bad Source!\" must be 1 to "
          "32 of a-z 0-9 _ - and begin with a letter or digit" },
        { "a source of 33 bytes", "{\"source\":\"abcdefghijklmnopqrstuvwxyzabcdefg\"}",
          "source: \"abcdefghijklmnopqrstuvwxyzabcdefg\" must be 1 to 32 of a-z 0-9 _ - and begin "
          "with a letter or digit" },
        { "an outcome of its own", OPENED ",\"outcome\":\"maybe\"}",
          "outcome: \"maybe\" is none of success, failure, excluded" },
        { "an empty outcome", OPENED ",\"outcome\":\"\"}",
          "outcome: \"\" is none of success, failure, excluded" },
        { "an outcome where none belongs", OPENED ",\"outcome\":\"success\"}", NULL },
        { "an empty id", "{\"id\":\"\"}", "id: must not be empty" },
        { "an empty site", OPENED ",\"site\":\"\"}", "site: must not be empty" },
        { "an empty reason", OPENED ",\"reason\":\"\"}", NULL },
        { "a NUL inside", OPENED ",\"site\":\"a\\u0000b\"}", "site: contains a NUL" },
    };
    struct event e;
    struct reject reject;
    const char *json = OPENED ",\"outcome\":\"success\"}";

    (void)state;
    check_all(lines, LENGTH(lines));
    /* law 2.settled: an outcome is replaced by settled and amended alone. */
    assert_true(event_parse(json, strlen(json), &rules, &e, &reject));
    assert_int_equal(e.outcome, OUTCOME_NONE);
}

/* law 1.fields: lengths are bytes of decoded UTF-8, to the last one. */
static void test_lengths(void **state)
{
    static const struct {
        const char *field;
        size_t most;
    } cases[] = {
        { "id", 128 }, { "ticket", 128 }, { "device", 64 }, { "site", 64 },
        { "department", 64 }, { "staff", 64 }, { "vehicle", 64 }, { "model", 64 },
        { "reason", 256 }, { "by", 64 }, { "code", 64 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t over = 0; over <= 1; over++) {
            struct text_buffer text = { 0 };
            char *reason = mem_printf("%s: is %zu bytes long, at most %zu are allowed",
                                      cases[i].field, cases[i].most + 1, cases[i].most);
            bool is_own = i < 2;

            text_buffer_addf(&text, "{\"source\":\"a\",\"at\":\"2026-11-16T09:00:00Z\",\"type\":"
                             "\"install.opened\"%s,\"%s\":\"",
                             is_own ? "" : ",\"id\":\"1\",\"ticket\":\"1\"", cases[i].field);
            /* Escaped characters count by what they stand for: U+5F20 is three bytes. */
            for (size_t n = 0; n < (cases[i].most + over) / 3; n++)
                text_buffer_adds(&text, n % 2 ? "\\u5f20" : "\xe5\xbc\xa0");
            for (size_t n = 0; n < (cases[i].most + over) % 3; n++)
                text_buffer_adds(&text, "x");
            text_buffer_addf(&text, "\"%s}", !is_own ? "" : i == 0 ? ",\"ticket\":\"1\""
                                                                   : ",\"id\":\"1\"");
            check(cases[i].field, text.bytes, text.length, over ? reason : NULL);
            free(reason);
            text_buffer_finish(&text);
        }
}

static char *evidence(const char *before, const char *open, size_t filling, const char *close)
{
    struct text_buffer text = { 0 };

    text_buffer_adds(&text, OPENED ",\"evidence\"");
    text_buffer_adds(&text, before);
    text_buffer_adds(&text, open);
    for (size_t i = 0; i < filling; i++)
        text_buffer_adds(&text, " ");
    text_buffer_adds(&text, close);
    text_buffer_adds(&text, "  }");
    return text_buffer_take(&text);
}

/* law 1.fields: evidence is any JSON value of at most 16 KiB, as it was received. */
static void test_evidence(void **state)
{
    static const struct {
        const char *what, *before, *open;
        size_t filling;
        const char *close, *reason;
    } cases[] = {
        { "null", ":", "", 0, "null", NULL },
        { "a number", ":", "-1.5e300", 0, "", NULL },
        { "a string", ":", "\"", EVIDENCE_MAX - 2, "\"", NULL },
        { "a longer one", ":", "\"", EVIDENCE_MAX - 1, "\"",
          "evidence: is 16385 bytes long, at most 16384 are allowed" },
        { "escapes count as written", ":", "\"\\u0041", EVIDENCE_MAX - 7, "\"",
          "evidence: is 16385 bytes long, at most 16384 are allowed" },
        { "an object", ":", "{\"a\":1", EVIDENCE_MAX - 7, "}", NULL },
        { "blanks before the value do not count", " \t: \r\n", "[", EVIDENCE_MAX - 2, "]", NULL },
        { "a list", ":", "[1,[2]", EVIDENCE_MAX - 6, "]",
          "evidence: is 16385 bytes long, at most 16384 are allowed" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char *json = evidence(cases[i].before, cases[i].open, cases[i].filling, cases[i].close);

        check(cases[i].what, json, strlen(json), cases[i].reason);
        free(json);
    }
}

static void test_not_json(void **state)
{
    static const struct line lines[] = {
        { "nothing at all", "", "not JSON: parse error: premature EOF" },
        { "blanks", "  ", "not JSON: parse error: premature EOF" },
        { "cut off", "{\"source\":\"fro", "not JSON: parse error: premature EOF" },
        { "words", "not json at all", "not JSON: lexical error: invalid string in json text." },
        { "a string", "\"text\"", "not a JSON object" },
        { "a number", "1 ", "not a JSON object" },
        { "null", "null", "not a JSON object" },
        { "a list", "[]", "not a JSON object" },
        { "a list of one", "[" OPENED "}]", "not a JSON object" },
        { "more behind", OPENED "}x", "not JSON: parse error: trailing garbage" },
        { "two of them", OPENED "}{}", "not JSON: parse error: trailing garbage" },
        { "a comma too many", OPENED ",}",
          "not JSON: parse error: invalid object key (must be a string)" },
        { "a byte order mark", "\xef\xbb\xbf" OPENED "}",
          "not JSON: lexical error: invalid char in json text." },
        { "a comment", OPENED "/* */}", "not JSON: lexical error: probable comment found in "
          "input text, comments are not enabled." },
        { "a raw control character", OPENED ",\"x\":\"\n\"}", "not JSON: lexical error: invalid "
          "character inside string." },
        { "NaN", OPENED ",\"x\":NaN}", "not JSON: lexical error: invalid char in json text." },
        { "a leading zero", OPENED ",\"x\":01}",
          "not JSON: parse error: after key and value, inside map, I expect ',' or '}'" },
        { "single quotes", "{'source':'a'}",
          "not JSON: lexical error: invalid char in json text." },
        { "no UTF-8", OPENED ",\"x\":\"\xff\"}", "not JSON: not UTF-8" },
        { "overlong UTF-8", OPENED ",\"x\":\"\xc0\xaf\"}", "not JSON: not UTF-8" },
        { "a surrogate in UTF-8", OPENED ",\"x\":\"\xed\xa0\x80\"}", "not JSON: not UTF-8" },
        { "beyond Unicode", OPENED ",\"x\":\"\xf4\x90\x80\x80\"}", "not JSON: not UTF-8" },
        { "a high half alone", OPENED ",\"x\":\"\\ud800\"}",
          "not JSON: half of a surrogate pair" },
        { "a high half before text", OPENED ",\"x\":\"\\uD83Dx\"}",
          "not JSON: half of a surrogate pair" },
        { "two high halves", OPENED ",\"x\":\"\\ud83d\\ud83d\"}",
          "not JSON: half of a surrogate pair" },
        { "a low half alone", OPENED ",\"x\":\"\\ude95\"}",
          "not JSON: half of a surrogate pair" },
        { "a whole pair, and a backslash before u", OPENED ",\"x\":\"\\ud83d\\ude95\\\\ud800\"}",
          NULL },
    };

    (void)state;
    check_all(lines, LENGTH(lines));
    check("a NUL behind", OPENED "}", sizeof(OPENED "}"), "not JSON: not UTF-8");
}

static void add_repeated(struct text_buffer *to, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_buffer_adds(to, what);
}

static void test_bounds(void **state)
{
    struct text_buffer text = { 0 };
    size_t head = sizeof(OPENED ",\"x\":\"\"}") - 1;

    (void)state;
    text_buffer_adds(&text, OPENED ",\"x\":\"");
    add_repeated(&text, "y", EVENT_JSON_MAX - head);
    text_buffer_adds(&text, "\"}");
    check("as long as can be", text.bytes, text.length, NULL);
    text_buffer_adds(&text, " ");
    check("a byte more", text.bytes, text.length,
          "is 65537 bytes long, at most 65536 are allowed");
    text_buffer_finish(&text);

    text_buffer_adds(&text, OPENED ",\"x\":");
    add_repeated(&text, "[", 32000);
    add_repeated(&text, "]", 32000);
    text_buffer_adds(&text, "}");
    check("as deep as can be", text.bytes, text.length, NULL);
    text_buffer_finish(&text);

    add_repeated(&text, "{\"a\":", 13000);
    check("deep and cut off", text.bytes, text.length, "not JSON: parse error: premature EOF");
    text_buffer_finish(&text);
}

/* What a stranger wrote is quoted, escaped and cut, so that the reason stays one line of UTF-8. */
static void test_reasons_are_bounded(void **state)
{
    struct text_buffer text = { 0 };
    struct event e;
    struct reject reject;

    (void)state;
    text_buffer_adds(&text, "{\"at\":\"\\n\\u001b[31m");
    add_repeated(&text, "\xe5\xbc\xa0", 1000);
    text_buffer_adds(&text, "\"}");
    assert_false(event_parse(text.bytes, text.length, &rules, &e, &reject));
    print_message("# %s\n", reject.reason);
    assert_true(text_is_utf8(reject.reason, strlen(reject.reason)));
    assert_null(strpbrk(reject.reason, "\n\033"));
    assert_non_null(strstr(reject.reason, "is no RFC 3339 time with an offset"));
    text_buffer_finish(&text);
}

/* An event that the log once accepted stays readable whatever is configured today. */
static void test_without_rules(void **state)
{
    const char *json = HEAD "\"type\":\"gone.opened\",\"ticket\":\"1\"}";
    struct event e;
    struct reject reject;

    (void)state;
    assert_false(event_parse(json, strlen(json), &rules, &e, &reject));
    assert_true(event_parse(json, strlen(json), NULL, &e, &reject));
    assert_string_equal(e.kind, "gone");
    json = HEAD "\"type\":\"device.opened\",\"ticket\":\"1\"}";
    assert_false(event_parse(json, strlen(json), NULL, &e, &reject));
}

/* law 1.order: (at, source, id), strings bytewise. */
static void test_order(void **state)
{
    static const struct event sorted[] = {
        { .at = 1, .source = "b", .id = "9" },
        { .at = 2, .source = "a", .id = "10" },
        { .at = 2, .source = "a", .id = "9" },
        { .at = 2, .source = "a", .id = "9a" },
        { .at = 2, .source = "a", .id = "\xe5\xbc\xa0" },
        { .at = 2, .source = "a-b", .id = "1" },
        { .at = 2, .source = "a0", .id = "1" },
        { .at = 3, .source = "a", .id = "1" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(sorted); i++)
        for (size_t k = 0; k < LENGTH(sorted); k++) {
            int order = event_compare(&sorted[i], &sorted[k]);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

static void test_names(void **state)
{
    enum outcome outcome = OUTCOME_NONE;

    (void)state;
    assert_string_equal(outcome_name(OUTCOME_NONE), "");
    for (int i = OUTCOME_SUCCESS; i <= OUTCOME_EXCLUDED; i++) {
        const char *name = outcome_name((enum outcome)i);

        assert_true(outcome_parse(name, strlen(name), &outcome));
        assert_int_equal(outcome, i);
    }
    assert_false(outcome_parse("", 0, &outcome));
    assert_false(outcome_parse("successful", 10, &outcome));
    assert_true(event_kind_is_valid("vip_visit-2", 11));
    assert_false(event_kind_is_valid("2visits", 7));
    assert_true(event_source_is_valid("2nd-desk", 8));
    assert_false(event_source_is_valid("-desk", 5));
    assert_false(event_source_is_valid("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways_read_alike),
        cmocka_unit_test(test_every_field_arrives),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_edges_of_inputs),
        cmocka_unit_test(test_missing_and_mistyped),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_reasons_are_bounded),
        cmocka_unit_test(test_without_rules),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
