/* Two ways to every figure (law 0): what the writer counted event by event, and a recount of the
 * log from nothing. Random events of few tickets and devices come late, twice, in groups of any
 * size, while time passes; after each round the two must be equal, row by row. The seed is printed,
 * and may be given: test_agreement SEED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/mem.h"
#include "ledger/ledger.h"
#include "ledger/rebuild.h"
#include "tests/lib/ledger_fixture.h"

enum { LOGS = 12, ROUNDS = 12, GROUP = 40 };

static uint64_t seed = 20261120;
static uint64_t dice;

static unsigned roll(unsigned sides)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % sides;
}

static const char *pick(const char *const *words, unsigned count)
{
    return words[roll(count)];
}

#define PICK(...)                                                                                  \
    pick((const char *const[]){ __VA_ARGS__ }, LENGTH(((const char *const[]){ __VA_ARGS__ })))

/* One line of input under way. */
struct input {
    char json[512];
};

static void random_ticket(char *to, size_t size)
{
    const char *what = PICK("opened", "settled", "settled", "reopened", "amended");
    const char *device = PICK("", "\"device\":\"A\",", "\"device\":\"B\",", "");
    const char *site = PICK("", "\"site\":\"east\",", "\"site\":\"west\",");
    const char *staff = PICK("", "\"staff\":\"li\",", "\"department\":\"night\",");
    const char *outcome = PICK("success", "success", "failure", "excluded");
    char ending[96] = "";

    if (strcmp(what, "settled") == 0)
        (void)snprintf(ending, sizeof ending, "\"outcome\":\"%s\",", outcome);
    if (strcmp(what, "amended") == 0 && roll(4) > 0)
        (void)snprintf(ending, sizeof ending, "\"reason\":\"r\",\"by\":\"b\",\"outcome\":\"%s\",",
                       outcome);
    else if (strcmp(what, "amended") == 0)
        (void)snprintf(ending, sizeof ending, "\"reason\":\"r\",\"by\":\"b\",");
    (void)snprintf(to, size, "%s%s%s%s\"type\":\"%s.%s\",\"ticket\":\"T%u\"", device, site, staff,
                   ending, PICK("install", "repair", "repair", "lookup", "dispatch", "visit"), what,
                   roll(9));
}

static void random_device(char *to, size_t size)
{
    const char *what = PICK("commissioned", "decommissioned", "faulted", "recovered");
    bool coded = what[0] == 'f' || what[0] == 'r';

    (void)snprintf(to, size, "%s%s\"type\":\"device.%s\",\"device\":\"%s\"",
                   PICK("", "\"site\":\"east\",", "\"model\":\"m\",", "\"department\":\"x\","),
                   coded ? PICK("\"code\":\"gps\",", "\"code\":\"lamp\",") : "", what,
                   PICK("A", "B", "C"));
}

static void random_line(struct input *input, int id, int64_t now)
{
    char rest[400], when[INSTANT_SIZE];
    const char *source = "test";
    /* Mostly just now, often late, now and then of the future. */
    int64_t at = now - (roll(3) ? roll(120) : roll(20 * 24 * 60)) * MINUTE +
                 (roll(12) ? 0 : roll(600) * MINUTE);

    switch (roll(8)) {
    case 0:
        source = "kpid";
        (void)snprintf(rest, sizeof rest, "\"type\":\"source.%s\",\"input\":\"%s\"",
                       PICK("lost", "found"), PICK("platform", "bench", "other"));
        break;
    case 1:
    case 2:
        random_device(rest, sizeof rest);
        break;
    default:
        random_ticket(rest, sizeof rest);
    }
    (void)snprintf(input->json, sizeof input->json,
                   "{\"source\":\"%s\",\"id\":\"%d\",\"at\":\"%s\",%s}", source, id,
                   instant_format(when, at, 8 * 3600), rest);
}

static void on_done(struct ledger_request *request)
{
    assert_int_equal(request->status, 0);
}

static void forget_publication(void *arg, struct publication *publication)
{
    (void)arg;
    (void)publication;
}

/* Submits a few lines as one request. */
static void submit(struct ledger *ledger, const struct rules *rules, struct input *inputs,
                   size_t count)
{
    struct ledger_line lines[GROUP] = { 0 };
    struct ledger_request request = {
        .what = LEDGER_EVENTS, .lines = lines, .count = count, .via = "test", .done = on_done
    };

    for (size_t i = 0; i < count; i++) {
        lines[i].json = inputs[i].json;
        lines[i].length = strlen(inputs[i].json);
        lines[i].number = (int64_t)i + 1;
        if (!event_parse(lines[i].json, lines[i].length, rules, &lines[i].event, &lines[i].reject))
            assert_non_null(strstr(lines[i].json, "visit"));
    }
    assert_true(ledger_submit(ledger, &request));
    ledger_run(ledger);
    ledger_drain(ledger, forget_publication, NULL);
}

static void assert_agreement(struct ledger_fixture *f, int log, int round)
{
    struct err err = { 0 };
    int rc = rebuild_compare(f->path, f->rules, NULL, NULL, stderr, &err);

    if (rc != 0)
        fail_msg("seed %llu, log %d, round %d: %s", (unsigned long long)seed, log, round,
                 rc < 0 ? err.text : "the two differ");
}

static struct ledger *open_ledger(struct ledger_fixture *f, const struct clock_manual *clock)
{
    struct ledger_options options = {
        .path = f->path, .rules = f->rules, .digest = "d", .by = "test", .clock = &clock->clock
    };
    struct ledger *ledger;
    struct err err;

    if (ledger_open(&ledger, &options, &err) < 0)
        fail_msg("%s", err.text);
    return ledger;
}

static void run_log(struct ledger_fixture *f, int log)
{
    struct clock_manual clock;
    struct ledger *ledger;
    struct input inputs[GROUP];
    int id = 0;

    clock_manual_init(&clock, NOON);
    ledger = open_ledger(f, &clock);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = 1 + roll(GROUP);

        for (size_t i = 0; i < count; i++)
            if (i > 0 && roll(10) == 0)
                inputs[i] = inputs[roll((unsigned)i)]; /* redelivered */
            else
                random_line(&inputs[i], id++, clock.wall_ms);
        submit(ledger, f->rules, inputs, count);
        clock.wall_ms += roll(2) ? roll(45) * MINUTE : roll(60000);
        ledger_run(ledger);
        ledger_drain(ledger, forget_publication, NULL);
        if (roll(5) == 0) {
            ledger_close(ledger);
            clock.wall_ms += roll(300) * MINUTE;
            ledger = open_ledger(f, &clock);
        }
        assert_agreement(f, log, round);
    }
    ledger_close(ledger);
}

static void test_incremental_equals_recount(void **state)
{
    dice = seed;
    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    for (int log = 0; log < LOGS; log++) {
        void *f;

        ledger_fixture_setup(&f);
        run_log(f, log);
        ledger_fixture_teardown(&f);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incremental_equals_recount),
    };

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
