/* `kpid --probe` by the driver itself; see driver_probe.h. */
#include "driver_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"

enum { POINTS_MAX = 64 };

struct heard {
    char point[POINT_SIZE], text[READING_TEXT_SIZE];
    struct reading reading;
};

struct probe {
    const struct driver *driver;
    struct source *source;
    uv_loop_t loop;
    uv_timer_t limit;
    struct health health;
    struct driver_env env;
    int epochs; /* still to come */
    bool is_ending;
    struct heard heard[POINTS_MAX];
    size_t count;
};

static void on_stopped(void *arg)
{
    (void)arg;
}

static void end(struct probe *p)
{
    if (p->is_ending)
        return;
    p->is_ending = true;
    uv_close((uv_handle_t *)&p->limit, NULL);
    p->driver->stop(p->source, on_stopped, p);
}

static void on_limit(uv_timer_t *limit)
{
    end(limit->data);
}

static bool submit(void *house, struct batch *batch)
{
    (void)house;
    (void)batch;
    return false;
}

static void next_attempt(void *house, int64_t at)
{
    (void)house;
    (void)at;
}

static void keep(struct probe *p, const struct reading *reading)
{
    struct heard *to = p->heard;

    while (to < p->heard + p->count && strcmp(to->point, reading->point) != 0)
        to++;
    if (to == p->heard + POINTS_MAX)
        return;
    p->count += to == p->heard + p->count;
    to->reading = *reading;
    snprintf(to->point, sizeof to->point, "%s", reading->point);
    snprintf(to->text, sizeof to->text, "%s", reading->text ? reading->text : "");
}

/* The end comes on a turn of its own: the driver is in the middle of telling. */
static void keep_all(void *house, const struct reading *readings, size_t count)
{
    struct probe *p = house;

    for (size_t i = 0; i < count; i++)
        keep(p, &readings[i]);
    if (count > 1 && --p->epochs == 0 && !p->is_ending)
        uv_timer_start(&p->limit, on_limit, 0, 0);
}

static void forget(void *house, const char *unit)
{
    struct probe *p = house;

    (void)unit;
    p->count = 0;
}

static void see(void *house, const struct condition *condition)
{
    (void)house;
    (void)condition;
}

static const struct sink sink = { .submit = submit,
                                  .next_attempt = next_attempt,
                                  .readings = keep_all,
                                  .forget = forget,
                                  .condition = see };

static void print(const struct probe *p, FILE *out)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct reading *r = &p->heard[i].reading;
        const char *text = p->heard[i].text, *measure = r->measure ? r->measure : "";

        fprintf(out, "%-18s", p->heard[i].point);
        if (r->status != READING_GOOD)
            fprintf(out, "(%s)\n", text[0] ? text : "not told");
        else if (r->is_text)
            fprintf(out, "%s\n", text);
        else
            fprintf(out, "%.9g%s%s%s%s%s\n", r->number, measure[0] ? " " : "", measure,
                    text[0] ? " (" : "", text, text[0] ? ")" : "");
    }
}

int driver_probe(const struct driver *driver, const void *config, const struct driver_env *env,
                 int epochs, int64_t limit_ms, FILE *out, struct err *err)
{
    struct probe *p = mem_zalloc(sizeof *p);
    int rc = uv_loop_init(&p->loop);

    if (rc < 0) {
        free(p);
        return err_set(err, rc, "no event loop: %s", uv_strerror(rc));
    }
    p->driver = driver;
    p->epochs = epochs;
    p->env = *env;
    p->env.loop = &p->loop;
    p->env.sink = &sink;
    p->env.house = p;
    p->env.health = &p->health;
    health_init(&p->health, env->name, env->clock);
    (void)uv_timer_init(&p->loop, &p->limit); /* cannot fail */
    p->limit.data = p;
    rc = driver->create(&p->source, config, &p->env, err);
    if (rc < 0) {
        uv_close((uv_handle_t *)&p->limit, NULL);
    } else {
        uv_timer_start(&p->limit, on_limit, (uint64_t)limit_ms, 0);
        driver->start(p->source);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&p->loop);      /* nothing is open any more */
    if (p->health.state != SOURCE_DOWN) /* else there is one thing to say, and it follows */
        print(p, out);
    if (rc == 0 && p->health.state != SOURCE_WELL)
        rc = err_set(err, -EIO, "%s",
                     p->health.why[0] ? p->health.why
                                      : "nothing usable in the time that a probe takes");
    free(p);
    return rc;
}
