/* `sources`: a section is described by two tables, ours and its driver's. */
#include "config/conf_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/conf_tree.h"

struct settings {
    char *name;
    char *driver;
    bool mandatory;
    bool enabled;
};

const struct option conf_source_options[] = {
    { .name = "name", .type = OPTION_NAME, .offset = offsetof(struct settings, name),
      .required = true, .help = "of the input; the `source` of its events" },
    { .name = "driver", .type = OPTION_TEXT, .offset = offsetof(struct settings, driver),
      .required = true, .help = "what kind of input it is; kpid --drivers lists them" },
    { .name = "mandatory", .type = OPTION_BOOL, .offset = offsetof(struct settings, mandatory),
      .fallback = "true", .help = "whether GET /healthz fails while it is down" },
    { .name = "enabled", .type = OPTION_BOOL, .offset = offsetof(struct settings, enabled),
      .fallback = "true", .help = "false: checked, but not started" },
    { 0 },
};

/* Without the driver nobody knows what else may stand there: only our own settings are read. */
static const struct driver *find_driver(const struct option_tree *section, struct faults *faults)
{
    const struct option_tree *named = option_tree_get(section, "driver");
    const char **names = NULL;
    const struct driver *driver;
    char hint[CONF_HINT_SIZE];
    size_t count = 0;

    if (!named || named->type != TREE_TEXT)
        return NULL;
    driver = driver_find(named->text);
    if (driver)
        return driver;

    for (; driver_registry[count]; count++) {
        names = mem_realloc_array(names, count + 2, sizeof *names);
        names[count] = driver_registry[count]->name;
        names[count + 1] = NULL;
    }
    fault_add_at(faults, named, "there is no driver \"%s\": %s", named->text,
                 names ? conf_hint(hint, named->text, names) : "this build has none");
    free(names);
    return NULL;
}

static void read_section(const struct option_tree *section, struct conf_source *source,
                         struct settings *settings, struct faults *faults)
{
    struct conf_part parts[2] = { { conf_source_options, settings } };

    source->driver = find_driver(section, faults);
    if (!source->driver) {
        conf_read_known(section, "a source", &parts[0], faults);
        return;
    }
    source->config = mem_zalloc(source->driver->config_size);
    parts[1] = (struct conf_part){ source->driver->options, source->config };
    conf_read(section, "a source", parts, 2, faults);
    if (source->driver->check)
        source->driver->check(source->config, section, faults);
}

static const struct conf_source *named(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->source_count; i++) {
        if (strcmp(conf->sources[i].name, name) == 0)
            return &conf->sources[i];
    }
    return NULL;
}

static void check_name(struct conf_loader *loader, const struct option_tree *section,
                       const char *name)
{
    const struct conf_source *first = named(loader->conf, name);

    if (first)
        conf_refuse_twice(loader, "source", name, conf_place(section, "name"), first->tree);
    if (strcmp(name, "kpid") == 0)
        fault_add_at(loader->faults, conf_place(section, "name"),
                     "name \"kpid\" is the daemon's own: call the source otherwise");
}

static void write_source(struct conf_loader *loader, const struct conf_source *source,
                         const struct settings *settings)
{
    char *path = mem_printf("sources.%s", source->name);

    conf_write(&loader->canonical, path, conf_source_options, settings);
    if (source->driver)
        conf_write(&loader->canonical, path, source->driver->options, source->config);
    free(path);
}

static void read_source(void *arg, const struct option_tree *section)
{
    struct conf_loader *loader = arg;
    struct conf *conf = loader->conf;
    struct conf_source source = { .tree = conf_tree_copy(section) };
    struct settings settings = { 0 };
    size_t faults_before = loader->faults->count;

    read_section(section, &source, &settings, loader->faults);
    source.sound = source.driver && loader->faults->count == faults_before;
    source.mandatory = settings.mandatory;
    source.enabled = settings.enabled;
    if (settings.name) {
        check_name(loader, section, settings.name);
        text_set(source.name, sizeof source.name, settings.name);
        write_source(loader, &source, &settings);
    }
    option_finish(conf_source_options, &settings);

    conf->sources =
        mem_realloc_array(conf->sources, conf->source_count + 1, sizeof *conf->sources);
    conf->sources[conf->source_count++] = source;
}

void conf_read_sources(struct conf_loader *loader, const struct option_tree *list)
{
    conf_read_list(list, "a source", read_source, loader, loader->faults);
}

bool conf_source_differs(const struct conf_source *a, const struct conf_source *b)
{
    struct text_buffer one = { 0 }, other = { 0 };
    bool differs;

    if (a->driver != b->driver || a->enabled != b->enabled || strcmp(a->name, b->name) != 0)
        return true;
    if (!a->driver)
        return false;
    text_buffer_adds(&one, "");
    text_buffer_adds(&other, "");
    conf_write(&one, "", a->driver->options, a->config);
    conf_write(&other, "", b->driver->options, b->config);
    differs = strcmp(one.bytes, other.bytes) != 0;
    text_buffer_finish(&one);
    text_buffer_finish(&other);
    return differs;
}
