/* The law against chance: thousands of random logs, shuffled, repeated and cut into batches, go
 * through a real ledger while its clock moves on and it is closed and opened; afterwards every
 * fact must be the oracle's, which saw the whole log at once.
 *
 *   shuffles [--seed N] [--logs N] [--every-commit] [--keep-going] [--no-shrink]
 *
 * The trials run in a child, so that an assertion that fails is a failure like any other. The
 * trial that failed is made again from its seed and shrunk: acts, then KPIs, then fields of events
 * are taken away as long as it still fails. What is left is printed with the difference.
 * With --keep-going all that fail are told, unshrunk. KPID_LAW_LOGS says how many logs if no option
 * does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/mem.h"
#include "law_conf.h"
#include "run_trial.h"

enum { LOGS = 2000, TRIAL_S = 60 }; /* a trial that takes longer hangs */

static struct {
    uint64_t seed, logs;
    bool every_commit, keep_going, no_shrink;
} asked;

/* What the child tells its parent before it may die. */
static struct progress {
    uint64_t seed;
} * progress;

/* --- Running apart. */

/* In a child: true if the trial failed or the child died. `shown`: it says why. */
static bool fails(const struct trial *trial, bool shown)
{
    pid_t child;
    int status = 0;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct text_buffer why = { 0 };
        bool well;

        alarm(TRIAL_S);
        if (!shown && !freopen("/dev/null", "w", stderr))
            _exit(2);
        well = run_trial(trial, asked.every_commit, &why);
        if (!well && shown)
            fputs(why.bytes, stdout);
        fflush(NULL);
        _exit(!well);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("shuffles");
        exit(2);
    }
    if (shown && WIFSIGNALED(status))
        printf("ended by signal %d\n", WTERMSIG(status));
    return status != 0;
}

/* --- Shrinking. */

/* Takes `length` acts away from `first` on, if it fails without them, too. */
static bool try_without_acts(struct trial *t, size_t first, size_t length)
{
    struct act *all = t->acts;
    size_t count = t->count;
    struct act *fewer = mem_realloc_array(NULL, count, sizeof *fewer);

    memcpy(fewer, all, first * sizeof *fewer);
    memcpy(fewer + first, all + first + length, (count - first - length) * sizeof *fewer);
    t->acts = fewer;
    t->count = count - length;
    if (fails(t, false)) {
        for (size_t i = first; i < first + length; i++)
            free(all[i].line);
        free(all);
        return true;
    }
    free(fewer);
    t->acts = all;
    t->count = count;
    return false;
}

static bool shrink_acts(struct trial *t)
{
    bool shrunk = false;

    for (size_t length = t->count / 2; length > 0; length /= 2)
        for (size_t first = 0; first + length <= t->count;)
            if (try_without_acts(t, first, length))
                shrunk = true;
            else
                first += length;
    return shrunk;
}

static bool try_rules(struct trial *t, int which, struct rules *simpler)
{
    struct rules *was = t->rules[which];

    t->rules[which] = simpler;
    if (fails(t, false)) {
        rules_destroy(was);
        return true;
    }
    rules_destroy(simpler);
    t->rules[which] = was;
    return false;
}

static void shrink_rules(struct trial *t, int which)
{
    for (size_t i = 0; i < t->rules[which]->kpi_count;) {
        struct rules *simpler = rules_copy(t->rules[which]);
        struct kpi *kpi = &simpler->kpis[i];

        if (kpi->target_count + kpi->source_count > 0 || kpi->department[0]) {
            kpi->target_count = kpi->source_count = 0;
            kpi->department[0] = 0;
            (void)try_rules(t, which, simpler);
            simpler = rules_copy(t->rules[which]);
        }
        if (simpler->kpi_count == 1) {
            rules_destroy(simpler);
            break;
        }
        free(simpler->kpis[i].targets);
        free(simpler->kpis[i].plans);
        free(simpler->kpis[i].sources);
        memmove(&simpler->kpis[i], &simpler->kpis[i + 1],
                (--simpler->kpi_count - i) * sizeof *simpler->kpis);
        if (!try_rules(t, which, simpler))
            i++;
    }
}

static char *without_field(yajl_val event, size_t skip)
{
    struct text_buffer json = { 0 };

    text_buffer_adds(&json, "{");
    for (size_t i = 0; i < event->u.object.len; i++)
        if (i != skip && YAJL_IS_STRING(event->u.object.values[i]))
            json_out_text(&json, event->u.object.keys[i], event->u.object.values[i]->u.string);
    text_buffer_adds(&json, "}");
    return text_buffer_take(&json);
}

static void shrink_line(struct trial *t, struct act *act)
{
    for (size_t i = 0;; i++) {
        yajl_val event = yajl_tree_parse(act->line, NULL, 0);
        char *was = act->line;

        if (!event || !YAJL_IS_OBJECT(event) || i >= event->u.object.len) {
            yajl_tree_free(event);
            return;
        }
        act->line = without_field(event, i);
        yajl_tree_free(event);
        if (fails(t, false)) {
            free(was);
            i--;
        } else {
            free(act->line);
            act->line = was;
        }
    }
}

static void shrink(struct trial *t)
{
    while (shrink_acts(t))
        ;
    if (t->on_file) {
        t->on_file = false;
        t->on_file = !fails(t, false);
    }
    shrink_rules(t, 0);
    shrink_rules(t, 1);
    while (shrink_acts(t))
        ;
    for (size_t i = 0; i < t->count; i++)
        if (t->acts[i].kind == ACT_LINE)
            shrink_line(t, &t->acts[i]);
}

/* --- Showing. */

static void show(const struct trial *t)
{
    static const char *const names[] = { "line",
                                         "commit at",
                                         "compare",
                                         "rules",
                                         "reopen at",
                                         "kill at",
                                         "reopen with the other rules at" };
    char at[INSTANT_SIZE];
    bool changes = false;

    printf("--- kpid.conf\n");
    law_conf_write(stdout, t->rules[0]);
    for (size_t i = 0; i < t->count; i++)
        changes = changes || t->acts[i].kind == ACT_RULES || t->acts[i].kind == ACT_REOPEN_RULES;
    if (changes) {
        printf("--- the other\n");
        law_conf_write(stdout, t->rules[1]);
    }
    printf("--- in %s, made at %s\n", t->on_file ? "a file" : "memory",
           instant_format(at, t->start_at, zone_offset(&t->rules[0]->zone, t->start_at)));
    for (size_t i = 0; i < t->count; i++) {
        const struct act *a = &t->acts[i];

        if (a->kind == ACT_LINE)
            printf("%s\n", a->line);
        else
            printf("* %s %s\n", names[a->kind],
                   a->kind == ACT_COMPARE || a->kind == ACT_RULES
                       ? ""
                       : instant_format(at, a->at, zone_offset(&t->rules[0]->zone, a->at)));
    }
    printf("--- difference\n");
}

static void report(uint64_t seed)
{
    struct trial t;

    trial_make(&t, seed);
    printf("seed %llu fails, with %zu acts\n", (unsigned long long)seed, t.count);
    if (!fails(&t, true)) {
        printf("alone it does not fail: it depends on the trials before it\n");
    } else if (!asked.keep_going && !asked.no_shrink) {
        shrink(&t);
        show(&t);
        (void)fails(&t, true);
    }
    printf("again: shuffles --seed %llu --logs 1\n", (unsigned long long)seed);
    trial_finish(&t);
}

/* --- The whole. */

/* Runs the trials from `progress->seed` on; ends the process, with 1 at the first that fails. */
static void run_trials(uint64_t end)
{
    for (; progress->seed < end; progress->seed++) {
        struct trial t;
        bool well;

        alarm(TRIAL_S);
        trial_make(&t, progress->seed);
        well = run_trial(&t, asked.every_commit, NULL);
        trial_finish(&t);
        if (!well)
            exit(1);
    }
    exit(0);
}

/* True if all passed from `progress->seed` to `end`. */
static bool run_apart(uint64_t end)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        run_trials(end);
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("shuffles");
        exit(2);
    }
    return status == 0;
}

static bool read_options(int argc, char **argv)
{
    const char *logs = getenv("KPID_LAW_LOGS");

    asked.seed = (uint64_t)time(NULL) * 1000003;
    asked.logs = logs ? strtoull(logs, NULL, 10) : LOGS;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--every-commit") == 0)
            asked.every_commit = true;
        else if (strcmp(argv[i], "--keep-going") == 0)
            asked.keep_going = true;
        else if (strcmp(argv[i], "--no-shrink") == 0)
            asked.no_shrink = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            asked.seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--logs") == 0 && i + 1 < argc)
            asked.logs = strtoull(argv[++i], NULL, 10);
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t end, failed = 0;

    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: shuffles [--seed N] [--logs N] [--every-commit] [--keep-going] "
                        "[--no-shrink]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_set_level(LOG_LEVEL_ERR);
    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        perror("shuffles");
        return 2;
    }
    printf("# seed %llu, %llu logs\n", (unsigned long long)asked.seed,
           (unsigned long long)asked.logs);
    progress->seed = asked.seed;
    end = asked.seed + asked.logs;
    while (!run_apart(end)) {
        failed++;
        report(progress->seed++);
        if (!asked.keep_going)
            break;
    }
    printf("%s: %llu logs, %llu failed\n", failed ? "not ok" : "ok", (unsigned long long)asked.logs,
           (unsigned long long)failed);
    return failed > 0;
}
