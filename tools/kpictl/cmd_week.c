/* kpictl week: the weekly meeting. Who reached what, who has to make up how much and to explain
 * what, how the plans stand, and what the tickets behind the figures look like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "figure.h"
#include "kpictl.h"
#include "week_seal.h"

const struct flag week_flags[] = {
    { "reason", "TEXT", "of seal and restate: why; it goes into the chain with your name", NULL },
    { 0 },
};

static const char *name_of(const struct kpictl *kpictl, yajl_val item)
{
    const char *name = answer_text(item, kpictl->chinese ? "name.zh" : "name.en");

    return name[0] ? name : answer_text(item, "kpi");
}

/* --- Figures */

static void count_cell(struct table *table, enum colour colour, int64_t count)
{
    if (count == 0)
        table_cell(table, COLOUR_NONE, "");
    else
        table_cellf(table, colour, "%lld", (long long)count);
}

static void explanation_cell(struct table *table, yajl_val fact)
{
    const char *state = answer_text(fact, "explanation.state");

    table_cell(table, strcmp(state, "due") == 0 ? COLOUR_BAD : COLOUR_NONE, state);
}

static void add_figure(const struct kpictl *kpictl, struct table *table, yajl_val fact,
                       const char *who)
{
    struct figure figure;
    char cell[CELL_SIZE], percent[PERCENT_SIZE];

    figure_read(&figure, fact);
    table_row(table);
    table_cell(table, COLOUR_BOLD, who);
    table_cell(table, COLOUR_NONE, name_of(kpictl, fact));
    table_cell(table, COLOUR_NONE, figure_rate(cell, &figure));
    table_cell(table, COLOUR_NONE, figure_counts(cell, &figure));
    table_cell(table, COLOUR_NONE, figure_target(cell, &figure));
    table_cell(table, figure_colour(&figure), figure_verdict(&figure));
    count_cell(table, COLOUR_BAD, figure.shortfall);
    count_cell(table, COLOUR_WARNING, answer_integer(fact, "make_up"));
    count_cell(table, COLOUR_WARNING, answer_integer(fact, "streak"));
    table_cell(table, COLOUR_BAD, answer_is_true(fact, "penalty_due") ? "due" : "");
    explanation_cell(table, fact);
    count_cell(table, COLOUR_NONE, figure.pending);
    count_cell(table, COLOUR_DIM, figure.excluded);
    if (figure.coverage_e4 < 10000)
        table_cellf(table, COLOUR_WARNING, "%s %%", percent_of_e4(percent, figure.coverage_e4));
}

/* Calls `add` for each fact, with its department (or scope) where a new one begins. */
static void each_fact(const struct kpictl *kpictl, yajl_val week, struct table *table,
                      void (*add)(const struct kpictl *, struct table *, yajl_val, const char *))
{
    const char *last = "";

    for (size_t i = 0; i < answer_length(week, "facts"); i++) {
        yajl_val fact = answer_item(week, "facts", i);
        const char *scope = answer_text(fact, "scope"), *who = answer_text(fact, "department");

        add(kpictl, table, fact, strcmp(scope, last) == 0 ? "" : who[0] ? who : scope);
        last = scope;
    }
}

static void print_figures(const struct kpictl *kpictl, yajl_val week)
{
    static const struct column columns[] = {
        { .title = "who" },
        { .title = "KPI", .flexible = true },
        { .title = "rate", .right = true },
        { .title = "n/d", .right = true },
        { .title = "target", .right = true },
        { .title = "verdict" },
        { .title = "short", .right = true, .hide_empty = true },
        { .title = "make up", .right = true, .hide_empty = true },
        { .title = "streak", .right = true, .hide_empty = true },
        { .title = "penalty", .hide_empty = true },
        { .title = "explained", .hide_empty = true },
        { .title = "pending", .right = true, .hide_empty = true },
        { .title = "excl", .right = true, .hide_empty = true },
        { .title = "watched", .right = true, .hide_empty = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));

    each_fact(kpictl, week, table, add_figure);
    table_print(table, &kpictl->look, stdout);
    table_destroy(table);
}

/* --- Explanations */

static void print_explanations(const struct kpictl *kpictl, yajl_val week)
{
    bool any = false;

    for (size_t i = 0; i < answer_length(week, "facts"); i++) {
        yajl_val fact = answer_item(week, "facts", i);
        char instant[CELL_SIZE], *text;

        if (strcmp(answer_text(fact, "explanation.state"), "given") != 0)
            continue;
        text = text_for_terminal(answer_text(fact, "explanation.text"));
        printf("%s%s, %s: %s (%s, %s)\n", any ? "" : "\nExplanations\n",
               answer_text(fact, "department"), name_of(kpictl, fact), text,
               answer_text(fact, "explanation.author"),
               instant_for_people(instant, answer_text(fact, "explanation.at")));
        free(text);
        any = true;
    }
}

/* --- Plans */

/* "12 more by Sunday, 4 a day" for what is not yet done and can be. */
static void needed_cell(struct table *table, yajl_val plan)
{
    long long needed = answer_integer(plan, "needed"), days = answer_integer(plan, "days_left");
    long long pace = answer_integer(plan, "needed_per_day");

    if (needed == 0)
        table_cell(table, COLOUR_GOOD, "done");
    else if (days == 0)
        table_cellf(table, COLOUR_BAD, "%lld short", needed);
    else if (strchr(answer_text(plan, "period"), 'W'))
        table_cellf(table, COLOUR_WARNING, "%lld more by Sunday, %lld a day", needed, pace);
    else
        table_cellf(table, COLOUR_WARNING, "%lld more in %lld day%s, %lld a day", needed, days,
                    days == 1 ? "" : "s", pace);
}

static void print_plans(const struct kpictl *kpictl, yajl_val week)
{
    static const struct column columns[] = {
        { .title = "plan", .flexible = true },      { .title = "period" },
        { .title = "planned", .right = true },      { .title = "by now", .right = true },
        { .title = "done", .right = true },         { .title = "still needed" },
    };
    struct table *table = table_create(columns, LENGTH(columns));
    const char *last = "";

    for (size_t i = 0; i < answer_length(week, "plans"); i++) {
        yajl_val plan = answer_item(week, "plans", i);

        table_row(table);
        table_cell(table, COLOUR_NONE,
                   strcmp(last, answer_text(plan, "kpi")) == 0 ? "" : name_of(kpictl, plan));
        table_cell(table, COLOUR_NONE, answer_text(plan, "period"));
        table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(plan, "planned"));
        table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(plan, "planned_so_far"));
        table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(plan, "done"));
        needed_cell(table, plan);
        last = answer_text(plan, "kpi");
    }
    if (table_length(table) > 0) {
        putchar('\n');
        table_print(table, &kpictl->look, stdout);
    }
    table_destroy(table);
}

/* --- Signs of steering */

static void share_cell(struct table *table, yajl_val fact, const char *path)
{
    int64_t e4 = answer_parts(fact, path, 10000, -1);
    char percent[PERCENT_SIZE];

    if (e4 <= 0)
        table_cell(table, COLOUR_NONE, "");
    else
        table_cellf(table, COLOUR_NONE, "%s %%", percent_of_e4(percent, e4));
}

/* "3 d 4 h": nobody reads minutes of days. */
static void age_cell(struct table *table, int64_t s)
{
    if (s <= 0)
        table_cell(table, COLOUR_NONE, "");
    else if (s >= 86400)
        table_cellf(table, COLOUR_NONE, "%lld d %lld h", (long long)(s / 86400),
                    (long long)(s % 86400 / 3600));
    else if (s >= 3600)
        table_cellf(table, COLOUR_NONE, "%lld h %lld min", (long long)(s / 3600),
                    (long long)(s % 3600 / 60));
    else
        table_cellf(table, COLOUR_NONE, "%lld min", (long long)((s + 59) / 60));
}

static bool has_sign(yajl_val fact)
{
    static const char *const shares[] = { "signs.excluded_share", "signs.last_tenth_share" };
    static const char *const counts[] = { "signs.amended", "signs.same_minute",
                                          "signs.oldest_pending_s" };

    for (size_t i = 0; i < LENGTH(shares); i++)
        if (answer_parts(fact, shares[i], 10000, 0) > 0)
            return true;
    for (size_t i = 0; i < LENGTH(counts); i++)
        if (answer_integer(fact, counts[i]) > 0)
            return true;
    return false;
}

static void print_signs(const struct kpictl *kpictl, yajl_val week)
{
    static const struct column columns[] = {
        { .title = "tickets of" },
        { .title = "KPI", .flexible = true },
        { .title = "excluded", .right = true, .hide_empty = true },
        { .title = "amended", .right = true, .hide_empty = true },
        { .title = "by its own", .right = true, .hide_empty = true },
        { .title = "last tenth", .right = true, .hide_empty = true },
        { .title = "same minute", .right = true, .hide_empty = true },
        { .title = "oldest pending", .right = true, .hide_empty = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));

    for (size_t i = 0; i < answer_length(week, "facts"); i++) {
        yajl_val fact = answer_item(week, "facts", i);

        if (!answer_text(fact, "department")[0] || !has_sign(fact))
            continue;
        table_row(table);
        table_cell(table, COLOUR_NONE, answer_text(fact, "department"));
        table_cell(table, COLOUR_NONE, name_of(kpictl, fact));
        share_cell(table, fact, "signs.excluded_share");
        count_cell(table, COLOUR_NONE, answer_integer(fact, "signs.amended"));
        count_cell(table, COLOUR_NONE, answer_integer(fact, "signs.amended_by_own"));
        share_cell(table, fact, "signs.last_tenth_share");
        count_cell(table, COLOUR_NONE, answer_integer(fact, "signs.same_minute"));
        age_cell(table, answer_integer(fact, "signs.oldest_pending_s"));
    }
    if (table_length(table) > 0) {
        putchar('\n');
        table_print(table, &kpictl->look, stdout);
    }
    table_destroy(table);
}

/* --- Where the figures come from */

static void print_revisions(yajl_val week)
{
    char instant[CELL_SIZE];

    if (answer_length(week, "revisions") > 0)
        printf("\nRevisions\n");
    for (size_t i = 0; i < answer_length(week, "revisions"); i++) {
        yajl_val revision = answer_item(week, "revisions", i);
        const char *waited = answer_text(revision, "quarantine");
        char *why = text_for_terminal(answer_text(revision, "why"));

        printf("%lld  as of %s, by %s%s%s%s%s\n", (long long)answer_integer(revision, "revision"),
               instant_for_people(instant, answer_text(revision, "as_of")),
               answer_text(revision, "by"), why[0] ? ": " : "", why,
               waited[0] ? "; in quarantine then: " : "", waited);
        free(why);
    }
}

/* "success", "failure" ...; "–" where it did not count. */
static const char *counted_as(yajl_val move, const char *side)
{
    static const struct {
        const char *member, *word;
    } table[] = { { "numerator", "1" }, { "denominator", "0" }, { "excluded", "excluded" },
                  { "pending", "pending" } };
    char path[32];

    for (size_t i = 0; i < LENGTH(table); i++) {
        (void)snprintf(path, sizeof path, "%s.%s", side, table[i].member);
        if (answer_integer(move, path) > 0)
            return table[i].word;
    }
    return "–";
}

static void side_cell(struct table *table, yajl_val move, const char *side)
{
    char path[32];
    const char *reason;

    (void)snprintf(path, sizeof path, "%s.reason", side);
    reason = answer_text(move, path);
    table_cellf(table, COLOUR_NONE, "%s%s%s%s", counted_as(move, side), reason[0] ? " (" : "",
                reason, reason[0] ? ")" : "");
}

static void print_moves(const struct kpictl *kpictl, yajl_val week)
{
    static const struct column columns[] = {
        { .title = "revision" },
        { .title = "moved", .flexible = true },
        { .title = "KPI", .flexible = true },
        { .title = "counted before", .flexible = true },
        { .title = "and after", .flexible = true },
    };
    struct table *table = table_create(columns, LENGTH(columns));

    for (size_t i = 0; i < answer_length(week, "moved"); i++) {
        yajl_val move = answer_item(week, "moved", i);

        table_row(table);
        if (answer_integer(move, "revision") > 0)
            table_cellf(table, COLOUR_NONE, "%lld", (long long)answer_integer(move, "revision"));
        else
            table_cell(table, COLOUR_WARNING, "pending");
        table_cellf(table, COLOUR_NONE, "%s %s", answer_text(move, "kind"),
                    answer_text(move, "subject"));
        table_cell(table, COLOUR_NONE, answer_text(move, "kpi"));
        side_cell(table, move, "before");
        side_cell(table, move, "after");
    }
    if (table_length(table) > 0) {
        putchar('\n');
        table_print(table, &kpictl->look, stdout);
    }
    if (answer_integer(week, "moved_more") > 0)
        printf("and %lld more\n", (long long)answer_integer(week, "moved_more"));
    table_destroy(table);
}

static void print_items(yajl_val week)
{
    size_t count = answer_length(week, "quarantine");

    if (count > 0)
        printf("\n%zu of quarantine belong%s to this week: see kpictl quarantine\n", count,
               count == 1 ? "s" : "");
    for (size_t i = 0; i < count; i++) {
        yajl_val item = answer_item(week, "quarantine", i);
        char *reason = text_for_terminal(answer_text(item, "reason"));

        printf("%lld  %s\n", (long long)answer_integer(item, "n"), reason);
        free(reason);
    }
}

/* --- Acts */

static void print_heading(yajl_val week)
{
    char instant[CELL_SIZE];
    long long revision = answer_integer(week, "revision");

    printf("%s, from %.10s, %s", answer_text(week, "week"), answer_text(week, "begin"),
           answer_text(week, "state"));
    if (revision > 0)
        printf(", revision %lld", revision);
    if (answer_is_true(week, "restatement_pending"))
        printf(", restatement pending");
    printf(", as of %s\n\n", instant_for_people(instant, answer_text(week, "as_of")));
}

/* The week in which the daemon's present instant lies, by the configured clocks. */
static int present_week(struct kpictl *kpictl, char to[16])
{
    struct reply reply;
    struct tm day = { 0 };
    int status = client_get(kpictl->client, "/v1/status", &reply);

    if (status != EXIT_WELL)
        return status;
    if (sscanf(answer_text(reply.json, "as_of"), "%d-%d-%d", &day.tm_year, &day.tm_mon,
               &day.tm_mday) == 3) {
        day.tm_year -= 1900;
        day.tm_mon -= 1;
        day.tm_hour = 12;
        (void)timegm(&day);     /* fills in the day of the week and of the year */
        (void)strftime(to, 16, "%G-W%V", &day);
    }
    reply_finish(&reply);
    return EXIT_WELL;
}

static int show(struct kpictl *kpictl)
{
    const char *given = arguments_operand(kpictl->arguments, 1);
    struct text_buffer path = { 0 };
    struct reply reply;
    char week[16] = "";
    int status = given ? EXIT_WELL : present_week(kpictl, week);

    if (status != EXIT_WELL)
        return status;
    text_buffer_adds(&path, "/v1/weeks");
    path_add(&path, given ? given : week);
    if (kpictl->json) {
        status = print_answer(kpictl, path.bytes);
        text_buffer_finish(&path);
        return status;
    }
    status = client_get(kpictl->client, path.bytes, &reply);
    text_buffer_finish(&path);
    if (status != EXIT_WELL)
        return status;
    print_heading(reply.json);
    print_figures(kpictl, reply.json);
    print_explanations(kpictl, reply.json);
    print_plans(kpictl, reply.json);
    print_signs(kpictl, reply.json);
    print_revisions(reply.json);
    print_moves(kpictl, reply.json);
    print_items(reply.json);
    reply_finish(&reply);
    return EXIT_WELL;
}

static int note(struct kpictl *kpictl)
{
    const struct arguments *arguments = kpictl->arguments;
    const char *text = arguments_operand(arguments, 4);
    struct text_buffer path = { 0 }, body = { 0 };
    struct reply reply;
    int status;

    if (!text)
        return usage_error("write kpictl week note WEEK DEPARTMENT KPI TEXT");
    text_buffer_adds(&path, "/v1/weeks");
    path_add(&path, arguments_operand(arguments, 1));
    text_buffer_adds(&path, "/notes");
    path_add(&path, arguments_operand(arguments, 2));
    path_add(&path, arguments_operand(arguments, 3));
    text_buffer_adds(&body, "{");
    json_out_text(&body, "text", text);
    text_buffer_adds(&body, "}");
    status = client_send(kpictl->client, "PUT", path.bytes, "application/json", body.bytes,
                         body.length, &reply);
    text_buffer_finish(&path);
    text_buffer_finish(&body);
    if (status != EXIT_WELL)
        return status;
    if (kpictl->json)
        printf("%s\n", reply.body.bytes);
    else
        printf("noted, by %s\n", answer_text(reply.json, "author"));
    reply_finish(&reply);
    return EXIT_WELL;
}

int run_week(struct kpictl *kpictl)
{
    static const struct {
        const char *name;
        size_t operands_max;        /* with its own name */
        int (*run)(struct kpictl *kpictl);
    } acts[] = { { "note", 5, note },
                 { "restate", 2, week_restate },
                 { "seal", 2, week_seal },
                 { "show", 2, show } };
    const char *act = arguments_operand(kpictl->arguments, 0);

    if (!act)
        return show(kpictl);
    for (size_t i = 0; i < LENGTH(acts); i++) {
        if (strcmp(act, acts[i].name) != 0)
            continue;
        if (kpictl->arguments->operand_count > acts[i].operands_max)
            return usage_error("\"%s\" is one word too many; quote a text that has blanks",
                               arguments_operand(kpictl->arguments, acts[i].operands_max));
        return acts[i].run(kpictl);
    }
    return usage_error("week can show, note, seal and restate, not \"%s\"", act);
}
