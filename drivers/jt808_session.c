/* One terminal's side of a connection; see jt808_session.h.
 *
 * A terminal that is new sends 0100, keeps the code of the 8100, and sends 0102 first on every
 * later connection. Before a good 0102 it should send nothing else; real ones do, and a house that
 * does not insist takes them as they are.
 *
 *   (connected) ── 0100 ──> registered ── 0102 ──> authenticated ── 0003 ──> unregistered
 *        └──────── 0102 ────────────────────────────┘ */
#include "jt808_session.h"

#include <string.h>

#include "jt808_location.h"
#include "jt905_order.h"

/* 8004 alone is in UTC (2019 table 6). */
enum { UTC = 0 };

struct jt808_message jt808_session_message(struct jt808_session *s, uint16_t id,
                                           const uint8_t *body, size_t length)
{
    struct jt808_message m = { .dialect = s->dialect,
                               .version = s->version,
                               .layout_quirk = s->layout_quirk,
                               .id = id,
                               .serial = s->serial++,
                               .body = body,
                               .length = length };

    memcpy(m.sender, s->sender, sizeof m.sender);
    return m;
}

static void answer(struct jt808_session *s, uint16_t id, size_t length, struct jt808_answer *ret)
{
    ret->any = true;
    ret->message = jt808_session_message(s, id, ret->body, length);
}

void jt808_session_reply(struct jt808_session *s, uint16_t serial, uint16_t id,
                         enum jt808_result result, struct jt808_answer *ret)
{
    const struct jt808_reply reply = { serial, id, (uint8_t)result };

    answer(s, JT808_PLATFORM_REPLY, jt808_reply_write(ret->body, &reply), ret);
}

static void answer_register(struct jt808_session *s, const struct jt808_message *m,
                            const struct jt808_house_rules *rules, struct jt808_answer *ret)
{
    struct jt808_register_reply reply = { .serial = m->serial };
    struct jt808_register body;

    if (!jt808_register_read(m->body, m->length, m->dialect, &body))
        reply.result = 4;   /* 808-2013 table 8: no such terminal */
    reply.code = (struct jt808_text){ (const uint8_t *)rules->code, strlen(rules->code) };
    s->unregistered = false;
    answer(s, JT808_REGISTER_REPLY, jt808_register_reply_write(ret->body, &reply), ret);
}

static bool code_is_good(const struct jt808_message *m, const struct jt808_house_rules *rules)
{
    struct jt808_auth auth;

    if (!jt808_auth_read(m->body, m->length, m->dialect, &auth))
        return false;
    return !rules->insist || (auth.code.length == strlen(rules->code) &&
                              memcmp(auth.code.bytes, rules->code, auth.code.length) == 0);
}

static enum jt808_take authenticate(struct jt808_session *s, const struct jt808_message *m,
                                    const struct jt808_house_rules *rules,
                                    struct jt808_answer *ret)
{
    s->authenticated = code_is_good(m, rules);
    jt808_session_reply(s, m->serial, m->id, s->authenticated ? JT808_OK : JT808_FAILED, ret);
    return s->authenticated ? JT808_TAKEN : JT808_REFUSED;
}

static void answer_time(struct jt808_session *s, int64_t now, struct jt808_answer *ret)
{
    jt808_time_write(ret->body, now, UTC);
    answer(s, JT808_TIME, 6, ret);
}

/* What a terminal says in answer to us is answered by nobody. */
static bool is_answer(uint16_t id)
{
    switch (id) {
    case JT808_REPLY:
    case JT808_PARAMETERS:
    case JT808_ATTRIBUTES:
    case JT808_LOCATION_REPLY:
    case JT905_INSPECTION:
        return true;
    default:
        return false;
    }
}

/* What becomes an event is acknowledged after it is durable. */
static bool becomes_event(const struct jt808_message *m)
{
    if (m->dialect != JT905_2014)
        return false;
    return m->id == JT905_GRAB || m->id == JT905_DONE || m->id == JT905_DRIVER_CANCELS ||
           m->id == JT905_TRIP;
}

/* False: another terminal than before. */
static bool greet(struct jt808_session *s, const struct jt808_message *m)
{
    if (s->greeted)
        return strcmp(s->sender, m->sender) == 0;
    s->greeted = true;
    s->dialect = m->dialect;
    s->version = m->version;
    s->layout_quirk = m->layout_quirk;
    s->authenticated = m->dialect == JT905_2014;
    memcpy(s->sender, m->sender, sizeof s->sender);
    return true;
}

enum jt808_take jt808_session_take(struct jt808_session *s, const struct jt808_message *m,
                                   const struct jt808_house_rules *rules, int64_t now,
                                   struct jt808_answer *ret)
{
    ret->any = false;
    if (!greet(s, m))
        return JT808_OTHER_SENDER;
    if (m->id == JT808_REGISTER)
        answer_register(s, m, rules, ret);
    else if (m->id == JT808_AUTHENTICATE)
        return authenticate(s, m, rules, ret);
    else if (m->id == JT808_ASK_TIME && m->dialect == JT808_2019)
        answer_time(s, now, ret);
    else if (rules->insist && !s->authenticated) {
        jt808_session_reply(s, m->serial, m->id, JT808_FAILED, ret);
        return JT808_REFUSED;
    } else if (becomes_event(m)) {
        return JT808_WAITS;
    } else if (!is_answer(m->id)) {
        s->unregistered = s->unregistered || m->id == JT808_UNREGISTER;
        jt808_session_reply(s, m->serial, m->id, JT808_OK, ret);
    }
    return JT808_TAKEN;
}
