/* What goes wrong with whom, and when; see terminals.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "terminals.h"

enum { LINE_SIZE = 256, WORDS_MAX = 9, TICK_MS = 20 };

enum act { ACT_WRONG, ACT_MEND, ACT_ORDER };

struct order {
    int64_t at_ms, for_ms;      /* since the start; 0: until mended */
    bool all;
    uint32_t from, to;
    enum act act;
    enum wrong wrong;
    char code[32];
    uint32_t id;
    bool done;
};

struct script {
    struct order *orders;
    size_t count;
    bool *fired;
    uv_timer_t tick;
    uint64_t began_ms;
    struct crowd *crowd;
    uv_loop_t *loop;
};

const char *script_help(void)
{
    return "at SPAN all|N|N-M fault CODE|no-fix|silent|leaves|garbage|half|flood|checksum|clock "
           "[for SPAN]\nat SPAN all|N|N-M mend\nat SPAN N order ID done|cancelled";
}

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = NULL;

    line[strcspn(line, "#\n")] = '\0';
    for (char *w = strtok_r(line, " \t", &rest); w && count < WORDS_MAX;
         w = strtok_r(NULL, " \t", &rest))
        words[count++] = w;
    return count;
}

static bool read_who(const char *text, struct order *o)
{
    char *end;

    o->all = strcmp(text, "all") == 0;
    if (o->all)
        return true;
    o->from = o->to = (uint32_t)strtoul(text, &end, 10);
    if (*end == '-')
        o->to = (uint32_t)strtoul(end + 1, &end, 10);
    return *end == '\0' && end != text && o->from <= o->to;
}

/* From words[3] on. */
static bool read_wrong(char **words, size_t count, struct order *o)
{
    size_t next = 4;

    for (o->wrong = 0; o->wrong < WRONG_COUNT; o->wrong++)
        if (strcmp(wrong_names[o->wrong], words[3]) == 0)
            break;
    if (o->wrong == WRONG_COUNT || (o->wrong == WRONG_FAULT && count < 5))
        return false;
    if (o->wrong == WRONG_FAULT)
        (void)snprintf(o->code, sizeof o->code, "%s", words[next++]);
    if (next == count)
        return true;
    return next + 2 == count && strcmp(words[next], "for") == 0 &&
           span_parse(words[next + 1], &o->for_ms);
}

static bool read_order(char **words, size_t count, struct order *o)
{
    *o = (struct order){ .act = ACT_WRONG };
    if (count < 4 || strcmp(words[0], "at") != 0 || !span_parse(words[1], &o->at_ms) ||
        !read_who(words[2], o))
        return false;
    if (strcmp(words[3], "mend") == 0) {
        o->act = ACT_MEND;
        return count == 4;
    }
    if (strcmp(words[3], "order") == 0) {
        o->act = ACT_ORDER;
        o->id = count > 4 ? (uint32_t)strtoul(words[4], NULL, 10) : 0;
        o->done = count > 5 && strcmp(words[5], "done") == 0;
        return count == 6 && o->id > 0 && (o->done || strcmp(words[5], "cancelled") == 0);
    }
    return read_wrong(words, count, o);
}

struct script *script_read(const char *path)
{
    struct script *s = mem_zalloc(sizeof *s);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char line[LINE_SIZE], *words[WORDS_MAX];
    bool well = file != NULL;
    unsigned number = 0;

    if (!file)
        perror(path);
    while (well && fgets(line, sizeof line, file)) {
        size_t count = split(line, words);

        number++;
        if (count == 0)
            continue;
        s->orders = mem_realloc_array(s->orders, s->count + 1, sizeof *s->orders);
        well = read_order(words, count, &s->orders[s->count]);
        if (well)
            s->count++;
        else
            fprintf(stderr, "%s:%u: write\n%s\n", path, number, script_help());
    }
    if (file && file != stdin)
        fclose(file);
    if (!well) {
        script_free(s);
        return NULL;
    }
    s->fired = mem_zalloc((s->count + 1) * sizeof *s->fired);
    return s;
}

static void fire(struct script *s, const struct order *o)
{
    uint32_t last = crowd_size(s->crowd) - 1, from = o->all ? 0 : o->from;
    uint32_t to = o->all || o->to > last ? last : o->to;
    uint64_t until = o->for_ms > 0 ? uv_now(s->loop) + (uint64_t)o->for_ms : 0;

    for (uint32_t n = from; n <= to; n++) {
        if (o->act == ACT_MEND)
            crowd_mend(s->crowd, n);
        else if (o->act == ACT_ORDER)
            crowd_order(s->crowd, n, o->id, o->done);
        else
            crowd_set(s->crowd, n, o->wrong, o->code, until);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct script *s = timer->data;

    for (size_t i = 0; i < s->count; i++) {
        if (s->fired[i] || uv_now(s->loop) < s->began_ms + (uint64_t)s->orders[i].at_ms)
            continue;
        s->fired[i] = true;
        fire(s, &s->orders[i]);
    }
}

void script_start(struct script *s, uv_loop_t *loop, struct crowd *crowd)
{
    s->loop = loop;
    s->crowd = crowd;
    s->began_ms = uv_now(loop);
    (void)uv_timer_init(loop, &s->tick); /* it cannot fail */
    s->tick.data = s;
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
}

void script_stop(struct script *s)
{
    uv_close((uv_handle_t *)&s->tick, NULL);
}

void script_free(struct script *s)
{
    if (!s)
        return;
    free(s->orders);
    free(s->fired);
    free(s);
}
