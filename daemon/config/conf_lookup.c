/* `lookup`: who is asked where a vehicle is, and what a good answer is. */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"

struct settings {
    struct option_texts sources;
    char *source;
    int64_t timeout_ms, max_age_ms;
    uint32_t max_distance_m;
};

#define AT(member) .offset = offsetof(struct settings, member)

const struct option conf_lookup_options[] = {
    { .name = "sources", .type = OPTION_TEXTS, AT(sources),
      .help = "inputs that are asked, in this order; without it all that can be, as they stand" },
    { .name = "source", .type = OPTION_NAME, AT(source), .fallback = "lookup",
      .help = "of the events that a look-up emits" },
    { .name = "timeout", .type = OPTION_SPAN, AT(timeout_ms), .fallback = "15s",
      .min = SPAN_SECOND, .max = 10 * SPAN_MINUTE, .help = "for an answer, from all together" },
    { .name = "max_age", .type = OPTION_SPAN, AT(max_age_ms), .fallback = "5min",
      .min = SPAN_SECOND, .max = SPAN_DAY, .help = "of a fix, at the moment of asking" },
    { .name = "max_distance", .type = OPTION_UINT, AT(max_distance_m), .fallback = "500",
      .min = 1, .max = 1000000, .help = "metres from the reference position, if one is given" },
    { 0 },
};

#undef AT

static const struct conf_source *find_source(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->source_count; i++)
        if (strcmp(conf->sources[i].name, name) == 0)
            return &conf->sources[i];
    return NULL;
}

static void add_source(struct conf_loader *loader, const struct option_tree *place,
                       const char *name)
{
    struct conf *conf = loader->conf;
    const struct conf_source *source = find_source(conf, name);

    if (!source) {
        const char **names = mem_zalloc((conf->source_count + 1) * sizeof *names);
        char hint[CONF_HINT_SIZE];

        for (size_t i = 0; i < conf->source_count; i++)
            names[i] = conf->sources[i].name;
        fault_add_at(loader->faults, place, "there is no source \"%s\": %s", name,
                     conf_hint(hint, name, names));
        free(names);
    } else if (!source->driver->command) {
        fault_add_at(loader->faults, place, "source \"%s\" cannot be asked where a vehicle is: "
                     "driver %s only speaks", name, source->driver->name);
    } else {
        conf->lookup.sources = mem_realloc_array(conf->lookup.sources,
                                                 conf->lookup.source_count + 1, INPUT_SIZE);
        text_set(conf->lookup.sources[conf->lookup.source_count++], INPUT_SIZE, name);
    }
}

void conf_read_lookup(struct conf_loader *loader, const struct option_tree *group)
{
    struct settings settings = { 0 };
    struct conf_lookup *lookup = &loader->conf->lookup;

    if (group && !conf_is_group(group, "lookup", loader->faults))
        group = NULL;
    conf_read_one(group, "lookup", conf_lookup_options, &settings, loader->faults);
    for (size_t i = 0; i < settings.sources.count; i++)
        add_source(loader, conf_place(group, "sources"), settings.sources.items[i]);
    if (find_source(loader->conf, settings.source))
        fault_add_at(loader->faults, conf_place(group, "source"),
                     "source \"%s\" is one of the inputs already, and look-ups need one of their "
                     "own", settings.source);
    text_set(lookup->source, sizeof lookup->source, settings.source);
    lookup->timeout_ms = settings.timeout_ms;
    lookup->max_age_ms = settings.max_age_ms;
    lookup->max_distance_m = settings.max_distance_m;
    conf_write(&loader->canonical, "lookup", conf_lookup_options, &settings);
    option_finish(conf_lookup_options, &settings);
}
