/* Tickets, events and instants as JSON: one spelling for explain, tickets and devices. */
#include "api/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

void show_instant(struct text_buffer *to, const char *key, int64_t at, const struct zone *zone)
{
    if (at == INSTANT_NONE || at == INSTANT_NEVER)
        json_out_instant(to, key, 0, 0);
    else
        json_out_instant(to, key, at, zone_offset(zone, at));
}

void show_counts(struct text_buffer *to, const struct counts *counts)
{
    json_out_integer(to, "numerator", counts->numerator);
    json_out_integer(to, "denominator", counts->denominator);
    json_out_integer(to, "excluded", counts->excluded);
    json_out_integer(to, "pending", counts->pending);
}

void show_fraction(struct text_buffer *to, const char *key, int64_t value, int decimals)
{
    char digits[24];
    int64_t unit = 1;
    int length = decimals;

    json_out_key(to, key);
    if (value < 0) {
        text_buffer_adds(to, "null");
        return;
    }
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    snprintf(digits, sizeof digits, "%0*lld", decimals, (long long)(value % unit));
    while (length > 1 && digits[length - 1] == '0')
        length--;
    text_buffer_addf(to, "%lld.%.*s", (long long)(value / unit), length, digits);
}

void show_name(struct text_buffer *to, const char *zh, const char *en)
{
    json_out_key(to, "name");
    text_buffer_adds(to, "{");
    json_out_text(to, "zh", zh);
    json_out_text(to, "en", en);
    text_buffer_adds(to, "}");
}

void show_text(struct text_buffer *to, const char *key, const char *text)
{
    json_out_text(to, key, text && *text ? text : NULL);
}

static void show_attributes(struct text_buffer *to, const struct attributes *is,
                            const struct kpi *kpi)
{
    const char *department = is->department;

    if (!*department && kpi)
        department = kpi->department;
    show_text(to, "device", is->device);
    show_text(to, "site", is->site);
    show_text(to, "department", department);
    show_text(to, "staff", is->staff);
    show_text(to, "vehicle", is->vehicle);
    show_text(to, "model", is->model);
}

void show_ticket(struct text_buffer *to, const struct ticket_row *row, const struct kpi *kpi,
                 const struct zone *zone)
{
    const struct ticket *t = &row->ticket;
    const struct contribution *c = &row->contribution;
    char reason[REASON_SIZE];

    show_text(to, "outcome", outcome_name(t->outcome));
    json_out_text(to, "counts_as",
                  c->counts.excluded      ? "excluded"
                  : c->counts.pending     ? "pending"
                  : c->counts.numerator   ? "success"
                  : c->counts.denominator ? "failure"
                                          : NULL);
    show_text(to, "reason", contribution_reason(reason, t, c, row->accuser));
    show_instant(to, "opened_at", t->opened_at, zone);
    show_instant(to, "settled_at", kpi ? ticket_settled_at(t, kpi) : t->settled_at, zone);
    show_attributes(to, &t->is, kpi);
}

static void encode(struct text_buffer *to, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            text_buffer_add(to, text, 1);
        else
            text_buffer_addf(to, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void show_ticket_link(struct text_buffer *to, const char *key, const char *kind, const char *ticket)
{
    json_out_key(to, key);
    text_buffer_addf(to, "\"/v1/tickets/%s/", kind);
    encode(to, ticket);
    text_buffer_adds(to, "\"");
}

bool show_has_evidence(const char *json)
{
    static const char *const path[] = { "evidence", NULL };
    yajl_val tree;
    bool has;

    if (!strstr(json, "evidence"))
        return false; /* most have none: not worth a parse */
    tree = yajl_tree_parse(json, NULL, 0);
    has = tree && yajl_tree_get(tree, (const char **)(uintptr_t)path, yajl_t_any) != NULL;
    yajl_tree_free(tree);
    return has;
}

struct identities {
    struct text_buffer *to;
    int64_t count;
    bool evidence;
};

static int add_identity(void *arg, const struct event_row *row)
{
    struct identities *i = arg;

    i->evidence = i->evidence || show_has_evidence(row->json);
    if (i->count++ >= SHOW_EVENTS_MAX)
        return 0;
    json_out_comma(i->to);
    text_buffer_adds(i->to, "{");
    json_out_text(i->to, "source", row->event.source);
    json_out_text(i->to, "id", row->event.id);
    text_buffer_adds(i->to, "}");
    return 0;
}

int show_identities(struct text_buffer *to, struct reader *reader, const char *kind,
                    const char *subject, bool *ret_evidence, struct err *err)
{
    struct identities i = { .to = to };
    int rc;

    json_out_key(to, "events");
    text_buffer_adds(to, "[");
    rc = reader_events(reader, kind, subject, add_identity, &i, err);
    if (rc < 0)
        return rc;
    text_buffer_adds(to, "]");
    if (i.count > SHOW_EVENTS_MAX)
        json_out_integer(to, "events_more", i.count - SHOW_EVENTS_MAX);
    *ret_evidence = i.evidence;
    return 0;
}
