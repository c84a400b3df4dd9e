/* What the gateway makes of each message: the session's answer, then whatever it says of the
 * terminal, of its position, or of an order. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "jt808_gateway.h"

/* A terminal keeps its code, so it is made of what does not change: the secret and the sender. */
static void code_of(const struct jt808_gateway *g, const char *sender, char ret[JT808_CODE_SIZE])
{
    char text[sizeof g->secret + JT808_ID_SIZE];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int n = snprintf(text, sizeof text, "%s%s", sender, g->secret);

    if (EVP_Digest(text, (size_t)n, digest, &length, EVP_sha256(), NULL) != 1)
        memset(digest, 0, sizeof digest);
    jt808_hex(ret, digest, (JT808_CODE_SIZE - 1) / 2);
}

/* Which alarms a terminal was told to keep to itself, once for each connection. */
static void ask_for_mask(struct jt808_link *link)
{
    uint8_t body[5] = { 1 };
    struct jt808_message m;

    link->terminal->mask_asked = true;
    if (link->session.dialect == JT905_2014)
        return;                 /* it has no query of given parameters */
    jt808_put_dword(body + 1, JT808_PARAMETER_ALARM_MASK);
    m = jt808_session_message(&link->session, JT808_QUERY_PARAMETERS, body, sizeof body);
    jt808_link_send(link, &m);
}

static void take_parameters(struct jt808_link *link, const struct jt808_message *m)
{
    struct jt808_parameter p;
    size_t at = 0;

    while (jt808_parameter_next(m->body, m->length, m->dialect, &at, &p))
        if (p.id == JT808_PARAMETER_ALARM_MASK && p.length == 4)
            jt808_watch_mask(link->gateway, link->terminal, jt808_dword(p.value));
}

static void take_location(struct jt808_link *link, const struct jt808_message *m, size_t skip)
{
    struct jt808_terminal *t = link->terminal;
    struct jt808_location l;

    if (m->length < skip || !jt808_location_read(m->body + skip, m->length - skip, m->dialect,
                                                 jt808_inverted_fix(t), &l))
        return;
    jt808_watch_location(link->gateway, t, &l);
    jt808_locate_take(link, m, &l);
}

/* Reports of a blind spell tell of the past; the last of the others is the present. */
static void take_batch(struct jt808_link *link, const struct jt808_message *m)
{
    const uint8_t *report, *last = NULL;
    size_t at = 0, length, last_length = 0;
    struct jt808_location l;

    if (m->id != JT808_LOCATION_BATCH || m->length < 3 || m->body[2] != 0)
        return;
    while (jt808_batch_next(m->body, m->length, m->dialect, &at, &report, &length)) {
        last = report;
        last_length = length;
    }
    if (last && jt808_location_read(last, last_length, m->dialect,
                                    jt808_inverted_fix(link->terminal), &l))
        jt808_watch_location(link->gateway, link->terminal, &l);
}

static void take_body(struct jt808_link *link, const struct jt808_message *m)
{
    switch (m->id) {
    case JT808_LOCATION:
    case JT905_TRACK_REPORT:
        take_location(link, m, 0);
        break;
    case JT808_LOCATION_REPLY:
        take_location(link, m, 2);
        break;
    case JT808_LOCATION_BATCH:
        take_batch(link, m);
        break;
    case JT808_PARAMETERS:
        take_parameters(link, m);
        break;
    case JT808_REPLY:
        jt808_locate_take(link, m, NULL);
        break;
    default:
        break;
    }
}

/* The terminal of this link. One that connects anew takes the place of its old connection, of which
 * it may not even know that it is dead. False: there are too many. */
static bool find_terminal(struct jt808_link *link)
{
    struct jt808_terminal *t = jt808_terminal_of(link->gateway, link->session.sender);

    if (!t)
        return false;
    if (t->link)
        jt808_link_close(t->link);
    t->link = link;
    t->mask_asked = false;
    link->terminal = t;
    return true;
}

/* What the session makes of it; false if the link was closed. */
static bool take_session(struct jt808_link *link, const struct jt808_message *m,
                         enum jt808_take *ret)
{
    struct jt808_gateway *g = link->gateway;
    struct jt808_house_rules rules = { .insist = g->config.insist };
    struct jt808_answer answer;

    if (m->id == JT808_REGISTER || m->id == JT808_AUTHENTICATE)
        code_of(g, m->sender, rules.code);
    *ret = jt808_session_take(&link->session, m, &rules, clock_wall(g->env.clock), &answer);
    if (*ret == JT808_OTHER_SENDER) {
        jt808_link_cut(link, CUT_OTHER_SENDER);
        return false;
    }
    if (answer.any && !link->relay)
        jt808_link_send(link, &answer.message);
    return !link->closing;
}

void jt808_on_message(struct jt808_link *link, const struct jt808_message *m)
{
    struct jt808_message whole;
    enum jt808_take take;

    if (!take_session(link, m, &take) || take == JT808_REFUSED)
        return;
    if (!link->terminal && !find_terminal(link)) {
        jt808_link_cut(link, CUT_FULL);
        return;
    }
    if (!link->gateway->config.insist || link->session.authenticated)
        jt808_link_welcome(link);
    jt808_watch_heard(link->gateway, link->terminal);
    if (m->encryption)
        return;                 /* what is sealed is not ours to read */
    if (take == JT808_WAITS)
        jt808_dispatch_take(link, m, !link->relay);
    else if (!m->is_part || jt808_joint_add(link, m, &whole))
        take_body(link, m->is_part ? &whole : m);
    if (m->is_part && m->number == m->total)
        jt808_joint_drop(link);
    if (!link->closing && !link->relay && !link->terminal->mask_asked)
        ask_for_mask(link);
}

void jt808_on_platform_message(struct jt808_link *link, const struct jt808_message *m)
{
    if (m->dialect != JT905_2014 || !link->terminal)
        return;
    if (m->id == JT905_ORDER || m->id == JT905_GRAB_RESULT || m->id == JT905_CENTRE_CANCELS)
        jt808_dispatch_take(link, m, false);
}

void jt808_on_link_gone(struct jt808_link *link)
{
    struct jt808_terminal *t = link->terminal;

    if (t->link != link)
        return;
    t->link = NULL;
    jt808_locate_end(link->gateway, t, -EIO, "the terminal's connection broke");
}
