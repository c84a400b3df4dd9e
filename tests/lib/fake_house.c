/* A house for drivers under test; see fake_house.h. */
#include "tests/lib/fake_house.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/conf_read.h"
#include "config/conf_tree.h"

static char **add(char **texts, size_t *count, const char *text, size_t length)
{
    texts = mem_realloc_array(texts, *count + 1, sizeof *texts);
    texts[(*count)++] = mem_strndup(text, length);
    return texts;
}

static bool knows(const struct fake_house *h, const char *text, size_t length)
{
    for (size_t i = 0; i < h->accepted_count; i++)
        if (strlen(h->accepted[i]) == length && memcmp(h->accepted[i], text, length) == 0)
            return true;
    return false;
}

static void judge(struct fake_house *h, struct batch_line *line)
{
    char *text = mem_strndup(line->bytes, line->length);
    bool is_bad = line->refusal || (h->quarantine && strstr(text, h->quarantine));

    if (is_bad) {
        char *why = mem_printf("%lld %s", (long long)line->number,
                               line->refusal ? line->refusal : "house: bad");

        line->result = LINE_QUARANTINED;
        snprintf(line->reason, sizeof line->reason, "%s",
                 line->refusal ? line->refusal : "house: bad");
        h->refused = add(h->refused, &h->refused_count, why, strlen(why));
        free(why);
    } else if (knows(h, line->bytes, line->length)) {
        line->result = LINE_DUPLICATE;
        h->duplicates++;
    } else {
        line->result = LINE_ACCEPTED;
        h->accepted = add(h->accepted, &h->accepted_count, line->bytes, line->length);
    }
    free(text);
}

static void on_answer(uv_timer_t *timer)
{
    struct fake_house *h = timer->data;
    struct batch *batch = h->batch;
    struct err err = { 0 };
    int status = 0;

    h->batch = NULL;
    if (h->fail_next > 0) {
        h->fail_next--;
        status = err_set(&err, h->fail_with, "the ledger says no");
    } else {
        h->batches++;
        for (size_t i = 0; i < batch->count; i++)
            judge(h, &batch->lines[i]);
        if (batch->cursor) {
            free(h->cursor);
            h->cursor = mem_strdup(batch->cursor);
        }
    }
    batch->done(batch, status, &err);
}

static bool submit(void *house, struct batch *batch)
{
    struct fake_house *h = house;
    size_t bytes = 0;

    assert(!h->batch);
    if (h->full)
        return false;
    for (size_t i = 0; i < batch->count; i++)
        bytes += batch->lines[i].length;
    assert(batch->count <= BATCH_LINES_MAX && bytes <= BATCH_BYTES_MAX);
    h->batch = batch;
    if (!h->hold || h->batches < h->hold_after)
        house_let_go(h);
    return true;
}

void house_let_go(struct fake_house *h)
{
    if (h->batch)
        uv_timer_start(&h->answer, on_answer, 0, 0);
}

static void next_attempt(void *house, int64_t at)
{
    struct fake_house *h = house;

    h->next_attempt_at = at;
}

static void keep_readings(void *house, const struct reading *readings, size_t count)
{
    struct fake_house *h = house;

    h->told++;
    live_put(h->live, h->env.name, readings, count);
}

static void forget_unit(void *house, const char *unit)
{
    struct fake_house *h = house;

    live_forget(h->live, h->env.name, unit);
}

static void keep_condition(void *house, const struct condition *c)
{
    struct fake_house *h = house;
    struct text_buffer line = { 0 };

    text_buffer_addf(&line, "%s %s %s", c->device, c->code, c->active ? "active" : "clear");
    h->conditions = mem_realloc_array(h->conditions, h->condition_count + 1,
                                      sizeof *h->conditions);
    h->conditions[h->condition_count++] = text_buffer_take(&line);
}

static const struct sink sink = { .submit = submit,
                                  .next_attempt = next_attempt,
                                  .readings = keep_readings,
                                  .forget = forget_unit,
                                  .condition = keep_condition };

void house_init(struct fake_house *h, const char *name)
{
    *h = (struct fake_house){ .live = live_create(&clock_system) };
    assert(uv_loop_init(&h->loop) == 0);
    assert(uv_timer_init(&h->loop, &h->answer) == 0);
    h->answer.data = h;
    h->env = (struct driver_env){ .name = name,
                                  .loop = &h->loop,
                                  .clock = &clock_system,
                                  .sink = &sink,
                                  .house = h,
                                  .health = &h->health,
                                  .timezone = "Asia/Shanghai" };
}

static void *read_section(const struct driver *driver, const char *section, struct faults *faults)
{
    void *config = mem_zalloc(driver->config_size);
    struct option_tree *tree = conf_tree_parse("test", section, strlen(section), faults);

    if (tree) {
        conf_read_one(tree, "a source", driver->options, config, faults);
        if (driver->check)
            driver->check(config, tree, faults);
    }
    option_tree_destroy(tree);
    return config;
}

char *house_faults(const struct driver *driver, const char *section)
{
    struct faults faults = { 0 };
    struct text_buffer text = { 0 };
    void *config = read_section(driver, section, &faults);

    for (size_t i = 0; i < faults.count; i++)
        text_buffer_addf(&text, "%s\n", faults.items[i].text);
    option_finish(driver->options, config);
    free(config);
    faults_finish(&faults);
    return text_buffer_take(&text);
}

void house_start(struct fake_house *h, const struct driver *driver, const char *section)
{
    struct faults faults = { 0 };
    void *config = read_section(driver, section, &faults);
    struct err err = { 0 };

    for (size_t i = 0; i < faults.count; i++)
        fprintf(stderr, "test:%u: %s\n", faults.items[i].line, faults.items[i].text);
    assert(faults.count == 0);
    health_init(&h->health, h->env.name, &clock_system);
    h->env.cursor = h->cursor;
    h->driver = driver;
    h->is_stopped = false;
    if (driver->create(&h->source, config, &h->env, &err) < 0) {
        fprintf(stderr, "create: %s\n", err.text);
        abort();
    }
    option_finish(driver->options, config);
    free(config);
    faults_finish(&faults);
    driver->start(h->source);
}

static void on_stopped(void *arg)
{
    struct fake_house *h = arg;

    h->is_stopped = true;
}

static bool has_stopped(struct fake_house *h, void *unused)
{
    (void)unused;
    return h->is_stopped;
}

void house_stop(struct fake_house *h)
{
    h->driver->stop(h->source, on_stopped, h);
    house_let_go(h);
    assert(house_until(h, has_stopped, NULL, 5000));
    h->source = NULL;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void house_finish(struct fake_house *h)
{
    uv_close((uv_handle_t *)&h->answer, NULL);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    assert(uv_loop_close(&h->loop) == 0); /* else the driver left a handle open */
    free_texts(h->accepted, h->accepted_count);
    free_texts(h->refused, h->refused_count);
    free_texts(h->conditions, h->condition_count);
    live_destroy(h->live);
    free(h->cursor);
}

static void on_limit(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

bool house_until(struct fake_house *h, bool (*is_so)(struct fake_house *house, void *arg),
                 void *arg, int limit_ms)
{
    bool is_late = false;
    uv_timer_t limit;

    assert(uv_timer_init(&h->loop, &limit) == 0);
    limit.data = &is_late;
    uv_timer_start(&limit, on_limit, (uint64_t)limit_ms, 0);
    while (!is_so(h, arg) && !is_late)
        uv_run(&h->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&h->loop, UV_RUN_NOWAIT);
    return is_so(h, arg);
}

static bool never(struct fake_house *h, void *unused)
{
    (void)h;
    (void)unused;
    return false;
}

void house_turn(struct fake_house *h, int ms)
{
    (void)house_until(h, never, NULL, ms);
}

bool house_accepted(struct fake_house *h, void *count)
{
    return h->accepted_count >= *(size_t *)count;
}

bool house_is_well(struct fake_house *h, void *unused)
{
    (void)unused;
    return h->health.state == SOURCE_WELL;
}

bool house_is_degraded(struct fake_house *h, void *unused)
{
    (void)unused;
    return h->health.state == SOURCE_DEGRADED;
}

bool house_is_down(struct fake_house *h, void *unused)
{
    (void)unused;
    return h->health.state == SOURCE_DOWN;
}
