/* The made-up history. A small generator of our own rather than rand(): the same everywhere. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"

enum { DEVICES = 20000, VEHICLES = 20000 };

static const char *const sites[] = { "city", "east", "west", "north", "airport" };
static const char *const models[] = { "GT-100", "GT-200", "LED-3", "LED-5" };
static const char *const codes[] = { "gnss_antenna_open", "power_low", "led_module", "no_signal" };

static uint64_t draw(struct history *h, uint64_t bound)
{
    h->state ^= h->state << 13;
    h->state ^= h->state >> 7;
    h->state ^= h->state << 17;
    return (h->state >> 11) % bound;
}

void history_init(struct history *h, uint64_t seed, int64_t count, int64_t end_ms,
                  int64_t span_ms)
{
    memset(h, 0, sizeof *h);
    h->seed = seed;
    h->state = seed * 0x9E3779B97F4A7C15U + 1;
    h->count = count;
    h->end_ms = end_ms;
    h->span_ms = span_ms;
}

/* RFC 3339 with the offset of Asia/Shanghai. */
static void put_at(char *to, size_t size, int64_t at)
{
    time_t seconds = (time_t)(at / 1000 + 8 * 3600);
    struct tm tm;
    char date[32];

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(to, size, "%s.%03d+08:00", date, (int)(at % 1000));
}

static const char *pick_kind(struct history *h)
{
    uint64_t d = draw(h, 100);

    return d < 72 ? "dispatch" : d < 92 ? "lookup" : d < 95 ? "install" : d < 98 ? "repair"
                                                                                   : "inspection";
}

/* A ticket: its opening now, its end some events later. */
static size_t begin_ticket(struct history *h, int64_t at, char *line)
{
    const char *kind = pick_kind(h), *site = sites[draw(h, 5)];
    bool has_device = kind[0] == 'i' || kind[0] == 'r';
    char when[48], device[40] = "";
    int64_t n = h->serial++;
    int length;

    if (has_device)
        snprintf(device, sizeof device, "\"device\":\"D%05d\",", (int)draw(h, DEVICES));
    put_at(when, sizeof when, at);
    length = snprintf(line, 320,
                      "{\"source\":\"bench\",\"id\":\"%llx-o%lld\",\"type\":\"%s.opened\",\"at\":\"%s\","
                      "\"ticket\":\"T-%lld\",%s\"site\":\"%s\",\"staff\":\"s%02d\",\"model\":\"%s\","
                      "\"vehicle\":\"川A-T%05d\"}\n",
                      (unsigned long long)h->seed, (long long)n, kind, when, (long long)n, device,
                      site, (int)draw(h, 40), models[draw(h, 4)], (int)draw(h, VEHICLES));
    put_at(when, sizeof when, at + (int64_t)draw(h, 20000));
    snprintf(h->pending[h->pending_count++], sizeof h->pending[0],
             "{\"source\":\"bench\",\"id\":\"%llx-s%lld\",\"type\":\"%s.settled\",\"at\":\"%s\","
             "\"ticket\":\"T-%lld\",\"outcome\":\"%s\",\"reason\":\"as agreed with the customer\"}\n",
             (unsigned long long)h->seed, (long long)n, kind, when, (long long)n,
             draw(h, 20) ? "success" : "failure");
    return (size_t)length;
}

static size_t device_event(struct history *h, int64_t at, char *line)
{
    int64_t n = h->serial++;
    char when[48];
    const char *type = draw(h, 8) == 0 ? "commissioned" : draw(h, 2) ? "faulted" : "recovered";

    put_at(when, sizeof when, at);
    return (size_t)snprintf(line, 320,
                            "{\"source\":\"bench\",\"id\":\"%llx-d%lld\",\"type\":\"device.%s\","
                            "\"at\":\"%s\",\"device\":\"D%05d\",\"code\":\"%s\",\"site\":\"%s\"}\n",
                            (unsigned long long)h->seed, (long long)n, type, when,
                            (int)draw(h, DEVICES), codes[draw(h, 4)], sites[draw(h, 5)]);
}

size_t history_next(struct history *h, char *line)
{
    int64_t at;

    if (h->next >= h->count)
        return 0;
    at = h->end_ms - h->span_ms;
    at += (int64_t)((double)h->span_ms * (double)h->next / (double)h->count);
    h->next++;
    if (h->pending_count == 64 || (h->pending_count > 8 && draw(h, 2))) {
        int i = (int)draw(h, (uint64_t)h->pending_count);
        size_t length = strlen(h->pending[i]);

        memcpy(line, h->pending[i], length + 1);
        memmove(&h->pending[i], &h->pending[i + 1],
                (size_t)(h->pending_count - i - 1) * sizeof h->pending[0]);
        h->pending_count--;
        return length;
    }
    if (draw(h, 100) < 3)
        return device_event(h, at, line);
    return begin_ticket(h, at, line);
}
