/* Rework: law 2.rework. Who accuses whom, in cases in words, and against a search written as the
 * law says it, over random jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "kpi/rework.h"
#include "script.h"

enum { JOBS_MAX = 8, EVENTS_MAX = 8 };

/* Installs have a window of 60 minutes and never expire; repairs one of 30, and do after 100. */
static struct kpi kpis[] = {
    { .id = "i", .counts = "install", .rework_window_ms = 60 * MINUTE,
      .expire_after_ms = SPAN_NONE },
    { .id = "r", .counts = "repair", .rework_window_ms = 30 * MINUTE,
      .expire_after_ms = 100 * MINUTE },
};
static const struct rules rules = { .kpis = kpis, .kpi_count = 2 };
static struct kpi no_windows[] = {
    { .id = "i", .counts = "install", .rework_window_ms = SPAN_NONE,
      .expire_after_ms = SPAN_NONE },
    { .id = "r", .counts = "repair", .rework_window_ms = 30 * MINUTE,
      .expire_after_ms = SPAN_NONE },
};
static const struct rules rules_without = { .kpis = no_windows, .kpi_count = 2 };
static const struct rules rules_of_repairs = { .kpis = &no_windows[1], .kpi_count = 1 };

/* One ticket: kind letter and id, as in "i1" (an install with the id 1), and its script. */
struct given {
    const char *name, *script;
};

static void fold(struct ticket *t, const struct given *given, int64_t as_of)
{
    struct event events[EVENTS_MAX];
    const char *kind = given->name[0] == 'i' ? "install" : "repair";
    size_t count = script_read(events, EVENTS_MAX, given->script, kind, given->name + 1);

    ticket_init(t, kind, given->name + 1);
    ticket_fold(t, events, count, as_of);
}

static void test_cases(void **state)
{
    static const struct {
        const char *what;
        const struct rules *rules;
        struct given given[JOBS_MAX];
        const char *accused;            /* "JOB<ACCUSER ..." in order of the jobs */
    } cases[] = {
        { "a repair within the window", &rules, { { "i1", "0o 10s+" }, { "r1", "70o" } },
          "i1<r1 " },
        { "a millisecond too late", &rules, { { "i1", "0o 10s+" }, { "r1", "70.1o" } }, "" },
        { "the window is that of the job", &rules,
          { { "r1", "0o 10s+" }, { "r2", "41o" } }, "" },
        { "opened at the instant of settling", &rules,
          { { "i1", "0o 10s+" }, { "r1", "10o" } }, "" },
        { "opened a millisecond later", &rules,
          { { "i1", "0o 10s+" }, { "r1", "10.1o" } }, "i1<r1 " },
        { "a failure is not accused", &rules, { { "i1", "0o 10s-" }, { "r1", "20o" } }, "" },
        { "an excluded repair accuses nobody", &rules,
          { { "i1", "0o 10s+" }, { "r1", "20o 25sx" } }, "" },
        { "a failed repair does", &rules, { { "i1", "0o 10s+" }, { "r1", "20o 25s-" } },
          "i1<r1 " },
        { "an install accuses nobody", &rules, { { "i1", "0o 10s+" }, { "i2", "20o 25s+" } },
          "" },
        { "the latest job is accused, not the one before", &rules,
          { { "i1", "0o 10s+" }, { "r1", "20o 25s+" }, { "r2", "30o" } }, "i1<r1 r1<r2 " },
        { "an accused job can still accuse and be found", &rules,
          { { "i1", "0o 10s+" }, { "r1", "20o 25s+" }, { "r2", "40o 45s+" }, { "r3", "50o" } },
          "i1<r1 r1<r2 r2<r3 " },
        { "the latest is out of its window: the one before is safe", &rules,
          { { "i1", "0o 10s+" }, { "r1", "5o 11s+" }, { "r2", "45o" } }, "" },
        { "of several accusers the least id", &rules,
          { { "i1", "0o 10s+" }, { "r9", "20o" }, { "r10", "30o" }, { "r2", "40o" } },
          "i1<r10 " },
        { "equal instants: the greatest kind", &rules,
          { { "i9", "0o 10s+" }, { "r1", "0o 10s+" }, { "r2", "20o" } }, "r1<r2 " },
        { "equal instants and kinds: the greatest id", &rules,
          { { "i1", "0o 10s+" }, { "i2", "0o 10s+" }, { "r1", "20o" } }, "i2<r1 " },
        { "not itself, though settled before it was opened", &rules,
          { { "i1", "0o 5s+" }, { "r1", "10s+ 20o" } }, "i1<r1 " },
        { "others find it there", &rules,
          { { "r1", "10s+ 20o" }, { "r2", "15o" } }, "r1<r2 " },
        { "no window: not accused, but it stands in the search", &rules_without,
          { { "r1", "0o 10s+" }, { "i1", "0o 15s+" }, { "r2", "20o" } }, "" },
        { "no KPI for installs: likewise", &rules_of_repairs,
          { { "r1", "0o 10s+" }, { "i1", "0o 15s+" }, { "r2", "20o" } }, "" },
        { "settled by an amendment after expiry: at x", &rules,
          { { "r1", "0o 120a+ reason=y" }, { "r2", "110o" } }, "r1<r2 " },
        { "a raw success counts, though it came too late for its KPI", &rules,
          { { "r1", "0o 110s+" }, { "r2", "120o" } }, "r1<r2 " },
        { "a ticket without events does not exist", &rules,
          { { "i1", "0o 10s+" }, { "r1", "900o" } }, "" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct ticket tickets[JOBS_MAX];
        struct job jobs[JOBS_MAX];
        struct text_buffer got = { 0 };
        size_t count = 0;

        print_message("# %s\n", cases[i].what);
        for (; count < JOBS_MAX && cases[i].given[count].name; count++) {
            fold(&tickets[count], &cases[i].given[count], 600 * MINUTE);
            jobs[count] = (struct job){ .ticket = &tickets[count], .accuser = &tickets[0] };
        }
        rework_accuse(jobs, count, cases[i].rules);
        for (size_t k = 0; k < count; k++)
            if (jobs[k].accuser)
                text_buffer_addf(&got, "%c%s<%c%s ", jobs[k].ticket->kind[0],
                                 jobs[k].ticket->ticket, jobs[k].accuser->kind[0],
                                 jobs[k].accuser->ticket);
        assert_string_equal(got.bytes ? got.bytes : "", cases[i].accused);
        text_buffer_finish(&got);
    }
}

/* (settled_at, kind, ticket) of `a` is greater than that of `b`. */
static bool is_greater(const struct ticket *a, int64_t a_at, const struct ticket *b, int64_t b_at)
{
    int kinds = strcmp(a->kind, b->kind);

    if (a_at != b_at)
        return a_at > b_at;
    return kinds != 0 ? kinds > 0 : strcmp(a->ticket, b->ticket) > 0;
}

/* law 2.rework as it is written: the job that `r` accuses, or NULL. */
static struct job *slow_search(struct job *jobs, size_t count, const struct ticket *r)
{
    struct job *found = NULL;
    int64_t found_at = 0;

    for (size_t i = 0; i < count; i++) {
        const struct ticket *j = jobs[i].ticket;
        int64_t at = ticket_settled_at(j, rules_kpi_of_kind(&rules, j->kind));

        if (j == r || j->outcome != OUTCOME_SUCCESS || at >= r->opened_at)
            continue;
        if (!found || is_greater(j, at, found->ticket, found_at)) {
            found = &jobs[i];
            found_at = at;
        }
    }
    if (!found)
        return NULL;
    int64_t window = rules_kpi_of_kind(&rules, found->ticket->kind)->rework_window_ms;

    return r->opened_at - found_at <= window ? found : NULL;
}

static void slow_accuse(struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs[i].accuser = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct ticket *r = jobs[i].ticket;

        if (strcmp(r->kind, "repair") != 0 || r->outcome == OUTCOME_EXCLUDED ||
            r->opened_at == INSTANT_NONE)
            continue;
        struct job *found = slow_search(jobs, count, r);

        if (found && (!found->accuser || strcmp(r->ticket, found->accuser->ticket) < 0))
            found->accuser = r;
    }
}

static void test_random(void **state)
{
    static const char *const ends[] = { "s+", "s-", "sx", "a+", "r", "s+", "o" };

    (void)state;
    srandom(47);
    for (int round = 0; round < 20000; round++) {
        struct ticket tickets[JOBS_MAX];
        struct job fast[JOBS_MAX], slow[JOBS_MAX];
        size_t count = 1 + (size_t)random() % JOBS_MAX;

        for (size_t i = 0; i < count; i++) {
            char name[24], script[64];
            long first = random() % 80;
            long second = first + random() % 120;

            (void)snprintf(name, sizeof name, "%c%zu", random() % 3 ? 'r' : 'i', i);
            if (random() % 7 == 0)
                (void)snprintf(script, sizeof script, "%ldo", first);
            else
                (void)snprintf(script, sizeof script, "%ld%s %ld%s", first,
                               random() % 5 ? "o" : "r", second,
                               ends[(size_t)random() % LENGTH(ends)]);
            fold(&tickets[i], &(struct given){ name, script }, 150 * MINUTE);
            fast[i] = slow[i] = (struct job){ .ticket = &tickets[i] };
        }
        rework_accuse(fast, count, &rules);
        slow_accuse(slow, count);
        for (size_t i = 0; i < count; i++)
            assert_ptr_equal(fast[i].accuser, slow[i].accuser);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    assert_true(rework_links_kind("install"));
    assert_true(rework_links_kind("repair"));
    assert_false(rework_links_kind("inspection"));
    rework_accuse(NULL, 0, &rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
