/* Position queries: 0x8201 to a terminal, its 0x0201 back (808-2013 8.18; 905 alike). An answer
 * counts if it names the query's serial and comes from the terminal that was asked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "jt808_gateway.h"

enum { LOCATES_MAX = 1024 };

struct locate {
    struct jt808_gateway *gateway;
    struct command *command;
    const struct jt808_terminal *terminal;
    bool asked;
    uint16_t serial;
    uv_timer_t timer;
    struct locate *next;
};

static void on_closed(uv_handle_t *handle)
{
    struct locate *l = handle->data;
    struct jt808_gateway *g = l->gateway;

    free(l);
    jt808_on_handle_closed(g);
}

static void end(struct locate *l, int status, const char *why)
{
    struct command *command = l->command;
    struct locate **at = &l->gateway->locates;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    uv_close((uv_handle_t *)&l->timer, on_closed);
    command->status = status;
    if (status < 0)
        (void)err_set(&command->err, status, "%s", why);
    command->done(command);
}

static void on_late(uv_timer_t *timer)
{
    struct locate *l = timer->data;
    char why[160];

    (void)snprintf(why, sizeof why, "terminal %s did not answer within %lld ms",
                   l->terminal->is.sender, (long long)l->command->timeout_ms);
    end(l, -ETIMEDOUT, why);
}

/* On the turn after the command was taken: whatever becomes of it, `done` comes later. */
static void on_begin(uv_timer_t *timer)
{
    struct locate *l = timer->data;
    struct jt808_link *link = l->terminal->link;
    struct jt808_message m;
    char why[160];

    if (!link) {
        (void)snprintf(why, sizeof why, "terminal %s is not connected", l->terminal->is.sender);
        end(l, -ENOTCONN, why);
        return;
    }
    uv_timer_start(&l->timer, on_late, (uint64_t)l->command->timeout_ms, 0);
    m = jt808_session_message(&link->session, JT808_QUERY_LOCATION, NULL, 0);
    l->serial = m.serial;
    l->asked = true;
    jt808_link_send(link, &m);      /* last: it may cut the link, and end us */
}

int jt808_locate(struct jt808_gateway *g, struct command *command)
{
    struct jt808_terminal *t = jt808_terminal_named(g, command->unit);
    struct locate *l;
    size_t count = 0;

    if (!t)
        return -ENOENT;
    for (l = g->locates; l; l = l->next)
        count++;
    if (count >= LOCATES_MAX)
        return -EBUSY;
    l = mem_zalloc(sizeof *l);
    if (uv_timer_init(g->env.loop, &l->timer) < 0) {
        free(l);
        return -EIO;
    }
    g->open_handles++;
    l->timer.data = l;
    l->gateway = g;
    l->command = command;
    l->next = g->locates;
    g->locates = l;
    l->terminal = t;
    command->result[0] = '\0';
    uv_timer_start(&l->timer, on_begin, 0, 0);
    return 0;
}

static void tell_position(struct jt808_gateway *g, struct command *command,
                          const struct jt808_terminal *t, const struct jt808_location *l)
{
    char at[INSTANT_SIZE] = "", heard[INSTANT_SIZE];

    if (l->at != JT808_NO_TIME)
        instant_format(at, l->at, JT808_OFFSET_S);
    (void)snprintf(command->result, sizeof command->result,
                   "{\"latitude\":%.6f,\"longitude\":%.6f,\"fixed\":%s,\"at\":%s%s%s,"
                   "\"received_at\":\"%s\",\"terminal\":\"%s\"}",
                   l->latitude_e6 / 1e6, l->longitude_e6 / 1e6,
                   l->fixed && l->in_range && !l->encrypted ? "true" : "false", at[0] ? "\"" : "",
                   at[0] ? at : "null", at[0] ? "\"" : "",
                   instant_format(heard, clock_wall(g->env.clock), JT808_OFFSET_S), t->is.sender);
}

/* Is this message the answer to `l`? 1 yes, 0 no, negative: it says that it cannot. */
static int is_answer(const struct locate *l, const struct jt808_message *m)
{
    struct jt808_reply r;

    if (m->id == JT808_LOCATION_REPLY)
        return m->length >= 2 && jt808_word(m->body) == l->serial;
    if (m->id == JT808_LOCATION)
        return l->gateway->config.report_answers_query;
    if (m->id == JT808_REPLY && jt808_reply_read(m->body, m->length, &r) &&
        r.id == JT808_QUERY_LOCATION && r.serial == l->serial && r.result != JT808_OK)
        return r.result == JT808_NOT_SUPPORTED ? -EOPNOTSUPP : -EIO;
    return 0;
}

void jt808_locate_take(struct jt808_link *link, const struct jt808_message *m,
                       const struct jt808_location *location)
{
    struct jt808_gateway *g = link->gateway;
    struct locate *next;

    for (struct locate *l = g->locates; l; l = next) {
        int answer = l->asked && l->terminal == link->terminal ? is_answer(l, m) : 0;

        next = l->next;
        if (answer < 0) {
            end(l, answer, answer == -EOPNOTSUPP ? "the terminal knows no position query"
                                                 : "the terminal says that it failed");
        } else if (answer > 0 && location) {
            tell_position(g, l->command, link->terminal, location);
            end(l, 0, NULL);
        }
    }
}

void jt808_locate_end(struct jt808_gateway *g, const struct jt808_terminal *t, int status,
                      const char *why)
{
    struct locate *next;

    for (struct locate *l = g->locates; l; l = next) {
        next = l->next;
        if (!t || l->terminal == t)
            end(l, status, why);
    }
}
