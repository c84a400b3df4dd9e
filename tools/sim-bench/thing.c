/* What the simulated things have in common; see thing.h. */
#include "thing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"

static int set_uint(const struct option *option, const char *value, void *to, struct err *err)
{
    char *end;
    unsigned long long number = strtoull(value, &end, 10);

    if (*end || end == value || value[0] == '-' || number < (unsigned long long)option->min ||
        (option->max > 0 && number > (unsigned long long)option->max))
        return err_set(err, -EINVAL, "%s: \"%s\" is no number from %lld to %lld", option->name,
                       value, (long long)option->min, (long long)option->max);
    *(uint32_t *)to = (uint32_t)number;
    return 0;
}

static int set_span(const struct option *option, const char *value, void *to, struct err *err)
{
    int64_t span;

    if (!span_parse(value, &span) || span < option->min || (option->max > 0 && span > option->max))
        return err_set(err, -EINVAL, "%s: \"%s\" is no span of time that fits, such as 500ms or 2s",
                       option->name, value);
    *(int64_t *)to = span;
    return 0;
}

static int set_choice(const struct option *option, const char *value, void *to, struct err *err)
{
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *(int *)to = i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "%s: \"%s\" is none of them; see help", option->name, value);
}

static int set(const struct option *option, const char *value, void *config, struct err *err)
{
    void *to = (char *)config + option->offset;

    switch (option->type) {
    case OPTION_UINT:
        return set_uint(option, value, to, err);
    case OPTION_SPAN:
        return set_span(option, value, to, err);
    case OPTION_CHOICE:
        return set_choice(option, value, to, err);
    case OPTION_BOOL:
        *(bool *)to = true;
        return 0;
    default:
        free(*(char **)to);
        *(char **)to = mem_strdup(value);
        return 0;
    }
}

static const struct option *find(const struct option *options, const char *name)
{
    while (options->name && strcmp(options->name, name) != 0)
        options++;
    return options;
}

static int unknown(const struct option *options, const char *word, struct err *err)
{
    const char *names[32] = { 0 };
    const char *near;

    for (size_t i = 0; options[i].name && i + 1 < LENGTH(names); i++)
        names[i] = options[i].name;
    near = text_nearest(word, names);
    return err_set(err, -EINVAL, "\"%s\" is no setting of it%s%s", word,
                   near ? "; did you mean " : "; see help", near ? near : "");
}

int words_read(const struct option *options, char *const *words, size_t count, void *config,
               struct err *err)
{
    int rc = 0;

    for (const struct option *o = options; o->name && rc == 0; o++)
        if (o->fallback)
            rc = set(o, o->fallback, config, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct option *o = find(options, words[i]);

        if (!o->name)
            return unknown(options, words[i], err);
        if (o->type != OPTION_BOOL && ++i == count)
            return err_set(err, -EINVAL, "%s of what?", o->name);
        rc = set(o, words[i], config, err);
    }
    return rc;
}

int plug_in(struct plug *plug, const struct plug_config *config, uint32_t index, struct err *err)
{
    const struct thing *thing = &plug->thing;
    const struct port_config port = {
        .name = thing->name,
        .links = bench_links(thing->bench),
        .is_tcp = config->is_tcp,
        .tcp_port = (uint16_t)(config->tcp_port ? config->tcp_port + index : 0),
        .baud = config->baud,
        .seed = bench_seed(thing->bench),
        .heard = config->heard,
        .arg = plug,
    };

    plug->baud = config->baud;
    return port_create(&plug->port, bench_loop(thing->bench), bench_clock(thing->bench), &port,
                       err);
}

int plug_trouble(struct plug *plug, enum trouble trouble, bool begins, int64_t value,
                 struct err *err)
{
    switch (trouble) {
    case TROUBLE_BABBLE:
        port_babble(plug->port, begins ? value : 0);
        return 0;
    case TROUBLE_BAUD:
        port_set_baud(plug->port, begins ? (uint32_t)value : plug->baud);
        return 0;
    case TROUBLE_NOISE:
        port_set_noise(plug->port, begins ? (uint32_t)value : 0);
        return 0;
    case TROUBLE_UNPLUGGED:
        if (!begins)
            return port_put_back(plug->port, err);
        port_pull(plug->port);
        return 0;
    default:
        return 0;
    }
}

void plug_show(const struct plug *plug, struct text_buffer *to)
{
    text_buffer_addf(to, " heard=%s", port_is_heard(plug->port) ? "yes" : "no");
}

const char *plug_address(const struct thing *thing)
{
    return port_address(((const struct plug *)thing)->port);
}
