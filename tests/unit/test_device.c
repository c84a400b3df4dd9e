/* Devices: law 3. Cases in words; then random histories, where every count is compared with the law
 * evaluated instant by instant, and the two promises on which incremental counting rests are held
 * to their word: device_history_differs_from and device_due_at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "kpi/device.h"
#include "script.h"

#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define FOREVER (INT64_MAX - 1)
enum { EVENTS_MAX = 16 };

static struct kpi kpis[] = {
    { .id = "fault_rate", .counts = "device", .counts_devices = true, .department = "technical",
      .confirm_after_ms = 10 * MINUTE, .min_sample = 1 },
    { .id = "install_success", .counts = "install", .rework_window_ms = SPAN_NONE,
      .expire_after_ms = 600 * MINUTE },
    { .id = "any_fault", .counts = "device", .counts_devices = true, .confirm_after_ms = 0 },
};
static struct rules rules = { .kpis = kpis, .kpi_count = LENGTH(kpis) };

/* Minutes in the cases count from 1970-01-01T00:00Z, which is a midnight here. */
static int load_utc(void **state)
{
    (void)state;
    return zone_load(&rules.zone, "UTC", NULL);
}

static int load_havana(void **state)
{
    (void)state;
    return zone_load(&rules.zone, "America/Havana", NULL);
}

static int finish_zone(void **state)
{
    (void)state;
    zone_finish(&rules.zone);
    return 0;
}

/* A device with its own events and at most one job of each kind. */
struct device {
    struct event events[EVENTS_MAX];
    size_t event_count;
    struct event job_events[2][EVENTS_MAX];
    struct ticket tickets[2];
    struct device_job jobs[2];
    size_t job_count;
};

static void add_job(struct device *d, const char *kind, const char *script, int64_t as_of)
{
    size_t n = d->job_count++;
    size_t count = script_read(d->job_events[n], EVENTS_MAX, script, kind, "J-1");

    ticket_init(&d->tickets[n], kind, "J-1");
    ticket_fold(&d->tickets[n], d->job_events[n], count, as_of);
    d->jobs[n] = (struct device_job){ &d->tickets[n], d->job_events[n], count };
}

static struct device_history history_of(const struct device *d, int64_t as_of)
{
    struct device_history h;

    device_history_fold(&h, "d1", d->events, d->event_count, d->jobs, d->job_count, &rules,
                        as_of);
    return h;
}

static void read_device(struct device *d, const char *script, const char *install,
                        const char *repair, int64_t as_of)
{
    d->event_count = script_read(d->events, EVENTS_MAX, script, "device", "d1");
    d->job_count = 0;
    if (install)
        add_job(d, "install", install, as_of);
    if (repair)
        add_job(d, "repair", repair, as_of);
}

static void add_interval(struct text_buffer *to, const char *what, const struct interval *i)
{
    text_buffer_addf(to, "%s%lld-", what, (long long)(i->begin / MINUTE));
    if (i->end == INSTANT_NEVER)
        text_buffer_adds(to, " ");
    else
        text_buffer_addf(to, "%lld ", (long long)(i->end / MINUTE));
}

static void test_fold(void **state)
{
    static const struct {
        const char *what, *events, *install, *repair;
        int64_t as_of;
        const char *want;       /* "10-20 " service, "led:5-7 " faults */
    } cases[] = {
        { "law 3.service: commissioned", "10C", NULL, NULL, 60, "10- " },
        { "law 3.service: decommissioned", "10C 20D", NULL, NULL, 60, "10-20 " },
        { "an install begins it", "50D", "0o 10s+", NULL, 60, "10-50 " },
        { "a failed install does not", "50D", "0o 10s-", NULL, 60, "" },
        { "a repair does not", "50D", NULL, "0o 10s+", 60, "" },
        { "an install of a device in service changes nothing", "5C 50D", "0o 10s+", NULL, 60,
          "5-50 " },
        { "in service again", "5C 7D", "0o 10s+", NULL, 60, "5-7 10- " },
        { "not in service, decommissioned", "5D 10C", NULL, NULL, 60, "10- " },
        { "equal instants: the beginning comes first", "5C 10C id=z 10D id=a", NULL, NULL, 60,
          "5-10 " },
        { "equal instants: the install comes before the end", "5C 10D", "0o 10s+", NULL, 60,
          "5-10 " },
        { "no time at all", "10C id=a 10D id=b", NULL, NULL, 60, "" },
        { "an amendment after expiry begins it at x", "", "0o 700a+ reason=y", NULL, 800,
          "600- " },
        { "up to as_of", "10C 70D", NULL, NULL, 60, "10- " },
        { "law 3.fault: one", "5F code=led 7R code=led", NULL, NULL, 60, "led:5-7 " },
        { "still active", "5F code=led", NULL, NULL, 60, "led:5- " },
        { "already active", "5F code=led 6F code=led 7R code=led", NULL, NULL, 60, "led:5-7 " },
        { "recovered of another code", "5F code=led 7R code=gps", NULL, NULL, 60, "led:5- " },
        { "two codes", "5F code=led 6F code=gps 7R code=led 9R code=gps", NULL, NULL, 60,
          "led:5-7 gps:6-9 " },
        { "again", "5F code=led 7R code=led 8F code=led", NULL, NULL, 60, "led:5-7 led:8- " },
        { "at one instant event order decides: no time at all", "5F code=led 5R code=led", NULL,
          NULL, 60, "" },
        { "at one instant event order decides: still active", "5R code=led 5F code=led", NULL,
          NULL, 60, "led:5- " },
        { "at one instant: recovered and faulted anew", "1F code=led 5R code=led 5F code=led",
          NULL, NULL, 60, "led:1-5 led:5- " },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct device d;
        struct text_buffer got = { 0 };

        print_message("# %s\n", cases[i].what);
        read_device(&d, cases[i].events, cases[i].install, cases[i].repair,
                    cases[i].as_of * MINUTE);
        struct device_history h = history_of(&d, cases[i].as_of * MINUTE);

        text_buffer_adds(&got, "");
        for (size_t k = 0; k < h.service_count; k++)
            add_interval(&got, "", &h.service[k]);
        for (size_t k = 0; k < h.fault_count; k++) {
            text_buffer_addf(&got, "%s:", h.faults[k].code);
            add_interval(&got, "", &h.faults[k].during);
        }
        assert_string_equal(got.bytes ? got.bytes : "", cases[i].want);
        text_buffer_finish(&got);
        device_history_finish(&h);
    }
}

/* law 3.count: a period counts what overlaps it, cut at as_of. Day 1 is minutes 1440 to 2880. */
static void test_counts(void **state)
{
    static const struct {
        const char *what, *events;
        int64_t as_of_ms;
        int64_t numerator, denominator;     /* of day 1 */
    } cases[] = {
        { "not yet in service", "2880C", 9999 * MINUTE, 0, 0 },
        { "in service to its end", "2000C", 9999 * MINUTE, 0, 1 },
        { "a millisecond of it", "100C 1440.1D", 9999 * MINUTE, 0, 1 },
        { "up to its first instant", "100C 1440D", 9999 * MINUTE, 0, 0 },
        { "as_of at its first instant", "100C", 1440 * MINUTE, 0, 0 },
        { "as_of a millisecond later", "100C", 1440 * MINUTE + 1, 0, 1 },
        { "a confirmed fault", "100C 1500F code=led 1510R code=led", 9999 * MINUTE, 1, 1 },
        { "not confirmed", "100C 1500.1F code=led 1510R code=led", 9999 * MINUTE, 0, 1 },
        { "confirmed while still open", "100C 1500F code=led", 1510 * MINUTE, 1, 1 },
        { "not yet", "100C 1500F code=led", 1510 * MINUTE - 1, 0, 1 },
        { "confirmed as a whole, a millisecond of it in the day",
          "100C 1400F code=led 1440.1R code=led", 9999 * MINUTE, 1, 1 },
        { "confirmed later, in the day after", "100C 2879F code=led", 2889 * MINUTE, 1, 1 },
        { "ended as the day began", "100C 1400F code=led 1440R code=led", 9999 * MINUTE, 0, 1 },
        { "out of service at that time", "1450C 1460D 1470F code=led 1490R code=led 1500C",
          9999 * MINUTE, 0, 1 },
        { "decommissioned while faulty", "100C 1500F code=led 1501D", 9999 * MINUTE, 1, 1 },
        { "faulty before it came into service", "1400F code=led 1500C 1501R code=led",
          9999 * MINUTE, 1, 1 },
        { "two faults of the same day count once", "100C 1500F code=a 1600R code=a 1700F code=b "
          "1800R code=b", 9999 * MINUTE, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct device d;
        struct counts counts = { 0 };

        print_message("# %s: %s\n", cases[i].what, cases[i].events);
        read_device(&d, cases[i].events, NULL, NULL, cases[i].as_of_ms);
        struct device_history h = history_of(&d, cases[i].as_of_ms);
        bool counted = device_counts(&h, &kpis[0], &rules, (struct period){ PERIOD_DAY, 1 },
                                     cases[i].as_of_ms, &counts);

        assert_int_equal(counted, cases[i].denominator == 1);
        assert_int_equal(counts.denominator, cases[i].denominator);
        assert_int_equal(counts.numerator, cases[i].numerator);
        device_history_finish(&h);
    }
}

/* law 3.attributes: the last value dated before the period's end and not after as_of. */
static void test_attributes(void **state)
{
    static const struct {
        const char *what, *events, *install;
        const char *site, *model, *department;
    } cases[] = {
        { "none: the KPI's department", "100C", NULL, "", "", "technical" },
        { "its own", "100C site=e,model=m,department=p", NULL, "e", "m", "p" },
        { "the last before the day's end", "100C site=a 2879R code=x,site=b 2880R code=x,site=c",
          NULL, "b", "", "technical" },
        { "a job's site and model, not its department", "100C department=p",
          "0o site=a,model=m 200s+ site=b,department=q", "b", "m", "p" },
        { "a job's event at the same instant: event order", "200C site=a,id=5",
          "200o site=b,id=6", "b", "", "technical" },
        { "the other way round", "200C site=a,id=7", "200o site=b,id=6", "a", "", "technical" },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct device d;
        struct attributes is;

        print_message("# %s\n", cases[i].what);
        read_device(&d, cases[i].events, cases[i].install, NULL, FOREVER);
        struct device_history h = history_of(&d, FOREVER);

        device_attributes(&h, &kpis[0], &rules, (struct period){ PERIOD_DAY, 1 }, FOREVER, &is);
        assert_string_equal(is.device, "d1");
        assert_string_equal(is.site, cases[i].site);
        assert_string_equal(is.model, cases[i].model);
        assert_string_equal(is.department, cases[i].department);
        assert_string_equal(is.staff, "");
        device_history_finish(&h);
    }
}

/* The usual cases must cost few periods: the first difference is late, not merely early enough. */
static void test_differs_from(void **state)
{
    static const struct {
        const char *what, *before;
        int64_t before_as_of;
        const char *after;
        int64_t after_as_of, want;      /* minutes; -1: never */
    } cases[] = {
        { "nothing new, out of service", "10C 20D", 30, "10C 20D", 99, -1 },
        { "time passed in service", "10C", 5000, "10C", 5001, 5000 },
        { "time passed with a confirmed fault", "10C 20F code=a", 5000, "10C 20F code=a", 5001,
          5000 },
        { "confirmed meanwhile", "10C 4995F code=a", 5000, "10C 4995F code=a", 5005, 4995 },
        { "a new fault, not confirmed", "10C", 5000, "10C 5000F code=a", 5000, -1 },
        { "recovered before it was confirmed", "10C 4995F code=a", 5000,
          "10C 4995F code=a 5001R code=a", 5001, 5000 },
        { "recovered of an old fault", "10C 20F code=a", 5000, "10C 20F code=a 5001R code=a",
          5001, 5000 },
        { "a late recovery of an old fault", "10C 20F code=a", 5000,
          "10C 20F code=a 4000R code=a", 5000, 4000 },
        { "decommissioned late", "10C", 5000, "10C 4000D", 5000, 4000 },
        { "a site", "10C 20D", 5000, "10C 20D site=e", 5000, 20 },
        { "the same site again", "10C site=e 20D", 5000, "10C site=e 20D site=e", 5000, -1 },
        { "a site that was replaced in its own instant", "10C site=e 20D", 5000,
          "10C site=x,id=0 10R code=z,site=e,id=1 20D", 5000, -1 },
        { "a late fault within another", "10C 20F code=a", 5000, "10C 20F code=a 4000F code=b",
          5000, -1 },
        { "commissioned earlier than known", "500C", 5000, "100C 500C", 5000, 100 },
    };

    (void)state;
    kpis[2].counts_devices = false;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct device a, b;
        int64_t a_as_of = cases[i].before_as_of * MINUTE;
        int64_t b_as_of = cases[i].after_as_of * MINUTE;
        int64_t want = cases[i].want < 0 ? INSTANT_NEVER : cases[i].want * MINUTE;

        print_message("# %s\n", cases[i].what);
        read_device(&a, cases[i].before, NULL, NULL, a_as_of);
        read_device(&b, cases[i].after, NULL, NULL, b_as_of);
        struct device_history x = history_of(&a, a_as_of);
        struct device_history y = history_of(&b, b_as_of);

        assert_int_equal(device_history_differs_from(&x, a_as_of, &y, b_as_of, &rules), want);
        assert_int_equal(device_history_differs_from(&y, b_as_of, &x, a_as_of, &rules), want);
        device_history_finish(&x);
        device_history_finish(&y);
    }
    kpis[2].counts_devices = true;
}

static void test_due_at(void **state)
{
    static const struct {
        const char *what, *events;
        int64_t as_of_ms, due_ms;       /* due 0: never */
    } cases[] = {
        { "out of service", "10C 20D", 30 * MINUTE, 0 },
        { "in service: the next day, once it has begun", "10C", 30 * MINUTE, DAY + 1 },
        { "at midnight itself", "10C", DAY, DAY + 1 },
        { "just after it", "10C", DAY + 1, 2 * DAY + 1 },
        { "at the very beginning", "10C", 10 * MINUTE, 10 * MINUTE + 1 },
        { "an event to come", "10C 90D", 30 * MINUTE, 90 * MINUTE },
        { "a fault to be confirmed", "10C 25F code=a", 30 * MINUTE, 35 * MINUTE },
        { "out of service, too: it may have been in", "10C 25F code=a 26D", 30 * MINUTE,
          35 * MINUTE },
        { "confirmed", "10C 25F code=a 40D", 40 * MINUTE, 0 },
        { "recovered", "10C 25F code=a 26D 27R code=a", 30 * MINUTE, 0 },
        { "for the KPI that confirms at once: a moment later", "10C 25F code=a", 25 * MINUTE,
          25 * MINUTE + 1 },
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct device d;

        print_message("# %s\n", cases[i].what);
        read_device(&d, cases[i].events, NULL, NULL, cases[i].as_of_ms);
        struct device_history h = history_of(&d, cases[i].as_of_ms);

        assert_int_equal(device_due_at(&h, &rules, cases[i].as_of_ms),
                         cases[i].due_ms == 0 ? INSTANT_NEVER : cases[i].due_ms);
        device_history_finish(&h);
    }
}

static void test_in_service(void **state)
{
    struct device d;

    (void)state;
    read_device(&d, "10C 20D 30C", NULL, NULL, FOREVER);
    struct device_history h = history_of(&d, FOREVER);

    assert_false(device_in_service(&h, 10 * MINUTE - 1));
    assert_true(device_in_service(&h, 10 * MINUTE));
    assert_false(device_in_service(&h, 20 * MINUTE));
    assert_true(device_in_service(&h, 99 * MINUTE));
    device_history_finish(&h);
}

/* ---- random histories ------------------------------------------------------------------------ */

/* 2018-11-02T00:00 in Havana, whose clocks went back from 01:00 to 00:00 on the 4th. */
#define BEGINNING INT64_C(1541131200000)

/* Mostly whole quarters of days, so that events meet each other and midnight. */
static int64_t random_instant(void)
{
    int64_t at = BEGINNING + random() % 24 * 6 * HOUR;

    switch (random() % 6) {
    case 0:
        return at + random() % 3 - 1;
    case 1:
        return at + random() % 30 * MINUTE;
    default:
        return at;
    }
}

static void random_event(struct event *e, const char *letters, const char *kind, size_t number)
{
    char script[100];

    (void)snprintf(script, sizeof script, "0%c%s code=%c,id=%ld%zu,reason=r",
                   letters[(size_t)random() % strlen(letters)], random() % 2 ? "+" : "-",
                   random() % 2 ? 'a' : 'b', random() % 3, number);
    script_read(e, 1, script, kind, "d1");
    e->at = random_instant();
    if (random() % 3 == 0)
        (void)snprintf(e->site, sizeof e->site, "s%ld", random() % 3);
    if (random() % 4 == 0)
        (void)snprintf(e->department, sizeof e->department, "p%ld", random() % 2);
}

static int by_event_order(const void *a, const void *b)
{
    return event_compare(a, b);
}

/* Everything that will ever be known of a device; a world sees the first so many of each list, in
 * order of arrival. */
struct fate {
    struct event events[EVENTS_MAX];
    struct event job_events[2][EVENTS_MAX];
    size_t event_count, job_event_count[2];
};

static void random_fate(struct fate *f)
{
    f->event_count = (size_t)random() % 8;
    for (size_t i = 0; i < f->event_count; i++)
        random_event(&f->events[i], "CCDFFRR", "device", i);
    for (size_t k = 0; k < 2; k++) {
        f->job_event_count[k] = (size_t)random() % 4;
        for (size_t i = 0; i < f->job_event_count[k]; i++)
            random_event(&f->job_events[k][i], "ossra", k ? "repair" : "install", 20 + 10 * k + i);
    }
}

static void see(struct device *d, const struct fate *f, size_t hidden, int64_t as_of)
{
    static const char *const kinds[] = { "install", "repair" };

    d->event_count = f->event_count > hidden ? f->event_count - hidden : 0;
    memcpy(d->events, f->events, d->event_count * sizeof *d->events);
    qsort(d->events, d->event_count, sizeof *d->events, by_event_order);
    d->job_count = 0;
    for (size_t k = 0; k < 2; k++) {
        size_t n = d->job_count;
        size_t count = f->job_event_count[k];

        count = count > hidden / 2 ? count - hidden / 2 : 0;
        if (count == 0)
            continue;
        memcpy(d->job_events[n], f->job_events[k], count * sizeof **d->job_events);
        qsort(d->job_events[n], count, sizeof **d->job_events, by_event_order);
        ticket_init(&d->tickets[n], kinds[k], "J-1");
        ticket_fold(&d->tickets[n], d->job_events[n], count, as_of);
        d->jobs[n] = (struct device_job){ &d->tickets[n], d->job_events[n], count };
        d->job_count++;
    }
}

/* The law at one instant: everything at or before `at` has happened. */
static bool slow_in_service(const struct device *d, int64_t at, int64_t as_of)
{
    bool in = false;
    int64_t last = INSTANT_NONE;

    /* Instant by instant; at each the beginnings, then the ends. */
    for (;;) {
        int64_t next = INSTANT_NEVER;
        bool begins = false, ends = false;

        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < d->event_count; i++) {
                const struct event *e = &d->events[i];

                if (e->at > as_of || e->at <= last ||
                    (e->type != EVENT_COMMISSIONED && e->type != EVENT_DECOMMISSIONED))
                    continue;
                if (pass == 0 && e->at < next)
                    next = e->at;
                if (pass == 1 && e->at == next)
                    *(e->type == EVENT_COMMISSIONED ? &begins : &ends) = true;
            }
            for (size_t i = 0; i < d->job_count; i++) {
                const struct ticket *t = &d->tickets[i];
                int64_t settled = ticket_settled_at(t, &kpis[1]);

                if (strcmp(t->kind, "install") != 0 || t->outcome != OUTCOME_SUCCESS ||
                    settled <= last)
                    continue;
                if (pass == 0 && settled < next)
                    next = settled;
                begins |= pass == 1 && settled == next;
            }
        }
        if (next > at)
            return in;
        in = (in || begins) && !ends;
        last = next;
    }
}

static bool slow_confirmed_fault(const struct device *d, const char *code, int64_t at,
                                 int64_t as_of, int64_t confirm_after)
{
    int64_t since = INSTANT_NONE;
    size_t i = 0;

    for (; i < d->event_count && d->events[i].at <= at && d->events[i].at <= as_of; i++) {
        if (strcmp(d->events[i].code, code) != 0)
            continue;
        if (d->events[i].type == EVENT_FAULTED && since == INSTANT_NONE)
            since = d->events[i].at;
        if (d->events[i].type == EVENT_RECOVERED)
            since = INSTANT_NONE;
    }
    if (since == INSTANT_NONE)
        return false;
    for (; i < d->event_count && d->events[i].at <= as_of; i++)
        if (d->events[i].type == EVENT_RECOVERED && strcmp(d->events[i].code, code) == 0)
            return d->events[i].at - since >= confirm_after;
    return as_of - since >= confirm_after;
}

/* Instants at which anything can begin: half-open intervals that overlap do so at one of them. */
static size_t beginnings(const struct device *d, int64_t *to, int64_t begin)
{
    size_t count = 0;

    to[count++] = begin;
    for (size_t i = 0; i < d->event_count; i++)
        to[count++] = d->events[i].at;
    for (size_t i = 0; i < d->job_count; i++)
        to[count++] = ticket_settled_at(&d->tickets[i], &kpis[1]);
    return count;
}

static struct counts slow_counts(const struct device *d, const struct kpi *kpi, struct period p,
                                 int64_t as_of)
{
    int64_t begin = period_begin(p, &rules.zone);
    int64_t end = period_end(p, &rules.zone);
    int64_t instants[2 * EVENTS_MAX];
    size_t count = beginnings(d, instants, begin);
    struct counts counts = { 0 };

    end = end < as_of ? end : as_of;
    for (size_t i = 0; i < count; i++) {
        int64_t at = instants[i];

        if (at < begin || at >= end || !slow_in_service(d, at, as_of))
            continue;
        counts.denominator = 1;
        if (slow_confirmed_fault(d, "a", at, as_of, kpi->confirm_after_ms) ||
            slow_confirmed_fault(d, "b", at, as_of, kpi->confirm_after_ms))
            counts.numerator = 1;
    }
    return counts;
}

/* All periods that the random histories reach. Calls until `check` has seen each. */
static void each_period(void (*check)(void *arg, const struct kpi *kpi, struct period p),
                        void *arg)
{
    int64_t end = BEGINNING + 9 * DAY;

    for (size_t k = 0; k < LENGTH(kpis); k++)
        for (enum period_kind kind = PERIOD_DAY; kpis[k].counts_devices && kind < PERIOD_KINDS;
             kind++)
            for (struct period p = period_at(kind, &rules.zone, BEGINNING - DAY);
                 period_begin(p, &rules.zone) < end; p = period_next(p))
                check(arg, &kpis[k], p);
}

struct one {
    const struct device *device;
    const struct device_history *history;
    int64_t as_of;
};

static void check_counts(void *arg, const struct kpi *kpi, struct period p)
{
    const struct one *one = arg;
    struct counts want = slow_counts(one->device, kpi, p, one->as_of);
    struct counts got = { 0 };
    bool counted = device_counts(one->history, kpi, &rules, p, one->as_of, &got);

    assert_int_equal(counted, want.denominator);
    assert_int_equal(got.denominator, want.denominator);
    assert_int_equal(got.numerator, want.numerator);
}

static void test_random_counts(void **state)
{
    (void)state;
    srandom(3);
    for (int round = 0; round < 3000; round++) {
        struct fate f;
        struct device d;
        int64_t as_of = random_instant();

        random_fate(&f);
        see(&d, &f, 0, as_of);
        struct device_history h = history_of(&d, as_of);

        each_period(check_counts, &(struct one){ &d, &h, as_of });
        device_history_finish(&h);
    }
}

/* Two sides of a change; periods that end at or before `until` must be alike. */
struct two {
    struct one a, b;
    int64_t until;
};

static void check_alike(void *arg, const struct kpi *kpi, struct period p)
{
    const struct two *two = arg;
    struct counts x = { 0 }, y = { 0 };
    struct attributes x_is, y_is;

    if (period_end(p, &rules.zone) > two->until)
        return;
    assert_int_equal(device_counts(two->a.history, kpi, &rules, p, two->a.as_of, &x),
                     device_counts(two->b.history, kpi, &rules, p, two->b.as_of, &y));
    assert_memory_equal(&x, &y, sizeof x);
    if (x.denominator == 0)
        return;
    device_attributes(two->a.history, kpi, &rules, p, two->a.as_of, &x_is);
    device_attributes(two->b.history, kpi, &rules, p, two->b.as_of, &y_is);
    assert_memory_equal(&x_is, &y_is, sizeof x_is);
}

/* What ends before the first difference counts alike on both sides, whatever arrived and however
 * far as_of moved. */
static void test_random_differs_from(void **state)
{
    int late = 0;

    (void)state;
    srandom(5);
    for (int round = 0; round < 6000; round++) {
        struct fate f;
        struct device a, b;
        int64_t a_as_of = random_instant();
        int64_t b_as_of = a_as_of + (random() % 3 ? random() % 5 * 6 * HOUR : random() % 3);

        random_fate(&f);
        see(&a, &f, (size_t)random() % 3, a_as_of);
        see(&b, &f, 0, b_as_of);
        struct device_history x = history_of(&a, a_as_of);
        struct device_history y = history_of(&b, b_as_of);
        int64_t from = device_history_differs_from(&x, a_as_of, &y, b_as_of, &rules);

        late += from > a_as_of;
        each_period(check_alike, &(struct two){ { &a, &x, a_as_of }, { &b, &y, b_as_of }, from });
        device_history_finish(&x);
        device_history_finish(&y);
    }
    assert_true(late > 500);        /* else it would only have proved its caution */
}

/* Until device_due_at nothing counts differently, though as_of moves. */
static void test_random_due_at(void **state)
{
    (void)state;
    srandom(7);
    for (int round = 0; round < 6000; round++) {
        struct fate f;
        struct device a, b;
        int64_t as_of = random_instant();

        random_fate(&f);
        see(&a, &f, 0, as_of);
        struct device_history x = history_of(&a, as_of);
        int64_t due = device_due_at(&x, &rules, as_of);

        assert_true(due > as_of);
        int64_t last = due == INSTANT_NEVER ? as_of + 9 * DAY : due - 1;
        int64_t then = random() % 2 ? last : as_of + random() % (last - as_of + 1);

        see(&b, &f, 0, then);
        struct device_history y = history_of(&b, then);

        /* Expiry moves no raw outcome, so no ticket of these changes by time alone. */
        each_period(check_alike, &(struct two){ { &a, &x, as_of }, { &b, &y, then }, FOREVER });
        device_history_finish(&x);
        device_history_finish(&y);
    }
}

/* Each test with its zone. */
#define IN_UTC(test) cmocka_unit_test_setup_teardown(test, load_utc, finish_zone)
#define IN_HAVANA(test) cmocka_unit_test_setup_teardown(test, load_havana, finish_zone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_UTC(test_fold),
        IN_UTC(test_counts),
        IN_UTC(test_attributes),
        IN_UTC(test_differs_from),
        IN_UTC(test_due_at),
        IN_UTC(test_in_service),
        IN_HAVANA(test_random_counts),
        IN_HAVANA(test_random_differs_from),
        IN_HAVANA(test_random_due_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
