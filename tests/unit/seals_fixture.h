/* A ledger that is sealed on a hand-turned clock, at once or slice by slice, and the board that
 * shows it. */
#ifndef KPID_TESTS_SEALS_FIXTURE_H
#define KPID_TESTS_SEALS_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/mem.h"
#include "board.h"
#include "ledger/new_seal.h"
#include "ledger/verify.h"
#include "tests/lib/ledger_fixture.h"

#define MONDAY INT64_C(1795363200000)   /* 2026-11-23T00:00+08:00, the end of 2026-W47 */

struct world {
    struct ledger_fixture *fixture;
    struct ledger *ledger;
    struct board *board;
    struct clock_manual clock;
    struct ledger_line line;
    struct ledger_request request;
    int events;
    int64_t settle_ms, leap_wait_ms;
    bool by_slices;     /* sealing goes on in seal_some alone */
};

static inline void drain(struct world *w)
{
    ledger_drain(w->ledger, board_publish, w->board);
}

static inline void open_ledger(struct world *w)
{
    struct ledger_options options = { .path = w->fixture->path,
                                      .rules = w->fixture->rules,
                                      .digest = "d1",
                                      .by = "test",
                                      .clock = &w->clock.clock,
                                      .seals = true,
                                      .seal_settle_ms = w->settle_ms,
                                      .seal_leap_wait_ms = w->leap_wait_ms };
    struct err err;

    if (ledger_open(&w->ledger, &options, &err) < 0)
        fail_msg("%s", err.text);
    drain(w);
}

static inline int set_up(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    void *fixture;

    ledger_fixture_setup(&fixture);
    w->fixture = fixture;
    w->board = board_create();
    clock_manual_init(&w->clock, MONDAY - 4 * DAY);
    open_ledger(w);
    *state = w;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;
    void *fixture = w->fixture;

    ledger_close(w->ledger);
    board_destroy(w->board);
    free(w);
    *state = NULL;
    return ledger_fixture_teardown(&fixture);
}

/* The clock says `at`. */
static inline void turn(struct world *w, int64_t at)
{
    w->clock.monotonic_ms += at > w->clock.wall_ms ? at - w->clock.wall_ms : 0;
    w->clock.wall_ms = at;
    ledger_run(w->ledger);
    drain(w);
}

static inline void reopen(struct world *w)
{
    ledger_close(w->ledger);
    open_ledger(w);
    turn(w, w->clock.wall_ms);
}

static inline void on_done(struct ledger_request *request)
{
    (void)request;
}

/* The ledger takes one request, and seals nothing meanwhile. */
static inline void take_one(struct ledger *l)
{
    struct ledger_request *r = mailbox_take(l->inbox);

    if (r->what == LEDGER_SEAL || r->what == LEDGER_RESTATE)
        assert_true(seals_ask(l, r));
    else
        writer_group(l, &r, 1);
}

static inline void submit(struct world *w)
{
    w->request.done = on_done;
    assert_true(ledger_submit(w->ledger, &w->request));
    if (w->by_slices)
        take_one(w->ledger);
    else
        ledger_run(w->ledger);
    drain(w);
}

/* Up to `slices` of what is to be sealed. False: all is done. */
static inline bool seal_some(struct world *w, int slices)
{
    while (slices > 0 && w->ledger->seals->asked) {
        seals_go_on(w->ledger);
        slices--;
    }
    drain(w);
    return w->ledger->seals->asked != NULL;
}

/* An event at an instant; `rest` as ledger_fixture_log has it. */
static inline void tell(struct world *w, int64_t at, const char *rest)
{
    char when[INSTANT_SIZE];
    char *json = mem_printf("{\"source\":\"%s\",\"id\":\"%d\",\"at\":\"%s\",%s}",
                            strstr(rest, "\"source.") ? "kpid" : "test", ++w->events,
                            instant_format(when, at, 8 * 3600), rest);

    w->line = (struct ledger_line){ .json = json, .length = strlen(json), .number = 1 };
    assert_true(event_parse(json, w->line.length, NULL, &w->line.event, &w->line.reject));
    w->request = (struct ledger_request){ .what = LEDGER_EVENTS, .lines = &w->line, .count = 1,
                                          .via = "test" };
    submit(w);
    assert_int_equal(w->request.status, 0);
    assert_int_equal(w->line.result, LINE_ACCEPTED);
    free(json);
}

static inline int by_hand(struct world *w, enum ledger_what what, const char *week)
{
    w->request = (struct ledger_request){ .what = what, .by = "chen", .text = "because" };
    assert_true(period_parse(week, &w->request.period));
    submit(w);
    return w->request.status;
}

/* As people are shown it: "state revision numerator/denominator pending?". */
static inline void assert_shown(struct world *w, const char *kpi, const char *period,
                                const char *want)
{
    const struct rules *rules = board_now(w->board)->rules;
    const struct kpi *k = rules_kpi(rules, kpi);
    const struct fact *fact;
    struct fact_view view;
    struct period p = { 0 };
    char got[80] = "none";

    assert_true(period_parse(period, &p));
    fact = board_fact(w->board, k, p, "company");
    if (fact) {
        view = board_view(w->board, k, p, "company", fact,
                          board_as_of(w->board, w->clock.wall_ms));
        snprintf(got, sizeof got, "%s %d %lld/%lld%s", fact_state_name(view.state), view.revision,
                 (long long)fact->counts.numerator, (long long)fact->counts.denominator,
                 view.pending ? " pending" : "");
    }
    assert_string_equal(got, want);
}

static inline void assert_query(struct world *w, const char *sql, const char *want)
{
    char *got = ledger_fixture_query(w->ledger->db, sql);

    assert_string_equal(got, want);
    free(got);
}

#endif
