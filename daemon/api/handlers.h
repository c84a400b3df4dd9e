/* The handlers, one for each row of the contract; routes.c puts them into the table. */
#ifndef KPID_API_HANDLERS_H
#define KPID_API_HANDLERS_H

#include "api/api_private.h"

extern const struct handler delete_bench_session;
extern const struct handler delete_exclusion;
extern const struct handler delete_quarantine;
extern const struct handler get_appraisal;
extern const struct handler get_audit;
extern const struct handler get_bench;
extern const struct handler get_devices;
extern const struct handler get_explain;
extern const struct handler get_facts;
extern const struct handler get_healthz;
extern const struct handler get_metrics;
extern const struct handler get_openapi;
extern const struct handler get_quarantine;
extern const struct handler get_sources;
extern const struct handler get_status;
extern const struct handler get_ticket;
extern const struct handler get_watch;
extern const struct handler get_week;
extern const struct handler post_bench_session;
extern const struct handler post_events;
extern const struct handler post_lookup;
extern const struct handler post_exclusion;
extern const struct handler post_poll;
extern const struct handler post_quarantine;
extern const struct handler put_note;
extern const struct handler post_restate;
extern const struct handler post_seal;

#endif
