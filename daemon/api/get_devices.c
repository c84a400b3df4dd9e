/* GET /v1/devices: the registry: each device that any event named, in service or not, and the
 * faults that are active. A page looks at a bounded number of devices, so that one which finds few
 * may be short of its limit and still have a next one. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/show.h"
#include "api/work.h"
#include "base/mem.h"

enum { USUAL = 100, LOOKED_AT_MAX = 2000 };

enum device_state { STATE_ANY, STATE_IN_SERVICE, STATE_OUT_OF_SERVICE, STATE_FAULTY };
static const char *const state_names[] = { "any", "in_service", "out_of_service", "faulty", NULL };

struct question {
    enum device_state state;
    const char *site, *model; /* point into the call's address, or NULL */
    struct page page;
};

struct names {
    char (*items)[NAME_SIZE];
    size_t count;
    bool more;
};

static int take_name(void *arg, const char *device)
{
    struct names *n = arg;

    if (n->count == LOOKED_AT_MAX) {
        n->more = true;
        return 1;
    }
    text_set(n->items[n->count++], NAME_SIZE, device);
    return 0;
}

/* The last value of an attribute, or "". */
static const char *value_of(const struct device_history *h, int attribute)
{
    const char *value = "";

    for (size_t i = 0; i < h->value_count; i++) {
        if ((int)h->values[i].attribute == attribute)
            value = h->values[i].value;
    }
    return value;
}

static bool is_active(const struct fault_interval *f)
{
    return f->during.end == INSTANT_NEVER;
}

static bool is_faulty(const struct device_history *h)
{
    for (size_t i = 0; i < h->fault_count; i++) {
        if (is_active(&h->faults[i]))
            return true;
    }
    return false;
}

static bool matches(const struct question *q, const struct device_history *h, int64_t as_of)
{
    bool in_service = device_in_service(h, as_of);

    return (q->state == STATE_ANY || (q->state == STATE_IN_SERVICE && in_service) ||
            (q->state == STATE_OUT_OF_SERVICE && !in_service) ||
            (q->state == STATE_FAULTY && is_faulty(h))) &&
           (!q->site || strcmp(q->site, value_of(h, DEVICE_SITE)) == 0) &&
           (!q->model || strcmp(q->model, value_of(h, DEVICE_MODEL)) == 0);
}

static void show_device(struct work *w, const struct device_history *h)
{
    struct text_buffer *to = &w->out;
    const struct zone *zone = &w->rules->zone;
    bool in_service = device_in_service(h, w->as_of);

    json_out_comma(to);
    text_buffer_adds(to, "{");
    json_out_text(to, "device", h->device);
    json_out_bool(to, "in_service", in_service);
    show_instant(to, "in_service_since",
                 in_service && h->service_count ? h->service[h->service_count - 1].begin
                                                : INSTANT_NONE,
                 zone);
    show_text(to, "site", value_of(h, DEVICE_SITE));
    show_text(to, "model", value_of(h, DEVICE_MODEL));
    show_text(to, "department", value_of(h, DEVICE_DEPARTMENT));
    json_out_key(to, "faults");
    text_buffer_adds(to, "[");
    for (size_t i = 0; i < h->fault_count; i++) {
        if (!is_active(&h->faults[i]))
            continue;
        json_out_comma(to);
        text_buffer_adds(to, "{");
        json_out_text(to, "code", h->faults[i].code);
        show_instant(to, "since", h->faults[i].during.begin, zone);
        text_buffer_adds(to, "}");
    }
    text_buffer_adds(to, "]}");
}

/* How many it looked at, or negative errno. */
static int show_matching(struct work *w, struct reader *reader, const struct names *n,
                         struct err *err)
{
    const struct question *q = w->arg;
    size_t shown = 0, i;

    for (i = 0; i < n->count && shown < q->page.limit; i++) {
        struct device_history h = { 0 };
        int rc = reader_device(reader, n->items[i], w->rules, w->as_of, &h, err);

        if (rc < 0)
            return rc;
        if (rc > 0 && matches(q, &h, w->as_of)) {
            show_device(w, &h);
            shown++;
        }
        if (rc > 0)
            device_history_finish(&h);
    }
    return (int)i;
}

/* Pool thread. */
static int read_devices(struct work *w, struct reader *reader, struct err *err)
{
    const struct question *q = w->arg;
    struct names n = { 0 };
    int rc;

    n.items = mem_realloc_array(NULL, LOOKED_AT_MAX, sizeof *n.items);
    text_buffer_adds(&w->out, "{\"devices\":[");
    rc =
        reader_device_names(reader, q->page.resumes ? q->page.fields[0] : NULL, take_name, &n, err);
    if (rc == 0)
        rc = show_matching(w, reader, &n, err);
    if (rc >= 0) {
        bool more = rc > 0 && (n.more || (size_t)rc < n.count);
        const char *field = rc > 0 ? n.items[rc - 1] : "";

        text_buffer_adds(&w->out, "]");
        page_cursor(&w->out, more ? &field : NULL, 1);
        show_instant(&w->out, "as_of", w->as_of, &w->rules->zone);
        text_buffer_adds(&w->out, "}");
    }
    free(n.items);
    return rc < 0 ? rc : 0;
}

static bool read_state(const char *text, enum device_state *ret, struct problem *problem)
{
    for (int i = STATE_IN_SERVICE; text && state_names[i]; i++) {
        if (strcmp(text, state_names[i]) == 0) {
            *ret = (enum device_state)i;
            return true;
        }
    }
    if (!text)
        return true;
    return problem_set(problem, PROBLEM_BAD_PARAMETER,
                       "state: write in_service, out_of_service or faulty");
}

static void end(struct call *call)
{
    struct question *q = mem_zalloc(sizeof *q);
    struct problem problem;

    q->site = call_value(call, "site");
    q->model = call_value(call, "model");
    if (read_state(call_value(call, "state"), &q->state, &problem) &&
        page_read(&q->page, call_value(call, "limit"), call_value(call, "cursor"), USUAL, 1,
                  &problem)) {
        work_begin(call, read_devices, work_reply, q, free);
        return;
    }
    free(q);
    call_problem(call, &problem);
}

const struct handler get_devices = { .end = end };
