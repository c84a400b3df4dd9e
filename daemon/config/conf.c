/* The whole configuration: merge the files, read each section by its tables, check what no table
 * can say, and make the canonical text from which digest and differences come. */
#include "config/conf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"

struct settings {
    char *timezone;
    struct option_tree *kpis;
    struct option_tree *posts;
    struct option_tree *sources;
    struct option_tree *week;
    struct option_tree *conditions;
    struct option_tree *profiles;
    struct option_tree *slots;
    struct option_tree *lookup;
    struct option_tree *bench;
    char *database;
    char *socket;
    char *socket_group;
    char *admin_group;
    char *listen;
    char *listen_token_file;
    char *credentials;
    int log_level;
    uint32_t connections_max;
    uint32_t body_max;
    uint32_t wal_warn;
};

static const char *const log_levels[] = { "err", "warning", "notice", "info", "debug", NULL };

enum { PATH_BYTES_MAX = 4095, SOCKET_BYTES_MAX = 107, MIB = 1024 * 1024 };

#define AT(member) .offset = offsetof(struct settings, member)

const struct option conf_root_options[] = {
    { .name = "timezone", .type = OPTION_TEXT, AT(timezone), .required = true,
      .help = "IANA name; days, weeks and months begin by its clocks" },
    { .name = "kpis", .type = OPTION_TREE, AT(kpis), .required = true,
      .help = "list of what is counted" },
    { .name = "posts", .type = OPTION_TREE, AT(posts), .help = "list of who answers for what" },
    { .name = "sources", .type = OPTION_TREE, AT(sources), .help = "list of the inputs" },
    { .name = "conditions", .type = OPTION_TREE, AT(conditions),
      .help = "group: how long a device's fault must last to be one" },
    { .name = "lookup", .type = OPTION_TREE, AT(lookup),
      .help = "group: who is asked where a vehicle is" },
    { .name = "bench", .type = OPTION_TREE, AT(bench), .help = "group: the installation bench" },
    { .name = "profiles", .type = OPTION_TREE, AT(profiles),
      .help = "list of the bench's acceptance profiles" },
    { .name = "slots", .type = OPTION_TREE, AT(slots), .help = "list of the bench's slots" },
    { .name = "week", .type = OPTION_TREE, AT(week), .help = "group: how weeks are sealed" },
    { .name = "database", .type = OPTION_PATH, AT(database),
      .fallback = "/var/lib/kpid/kpid.db", .min = 1, .max = PATH_BYTES_MAX,
      .help = "the ledger" },
    { .name = "socket", .type = OPTION_PATH, AT(socket), .fallback = "/run/kpid/kpid.sock",
      .min = 1, .max = SOCKET_BYTES_MAX, .help = "where programs ask" },
    { .name = "socket_group", .type = OPTION_TEXT, AT(socket_group), .fallback = "kpi", .min = 1,
      .max = 32, .help = "whose members may read through the socket" },
    { .name = "admin_group", .type = OPTION_TEXT, AT(admin_group), .fallback = "kpi-admin",
      .min = 1, .max = 32, .help = "whose members may write through the socket" },
    { .name = "listen", .type = OPTION_TEXT, AT(listen),
      .help = "address and port of the read-only web page; off unless given" },
    { .name = "listen_token_file", .type = OPTION_PATH, AT(listen_token_file), .min = 1,
      .max = PATH_BYTES_MAX, .help = "file with the bearer token that `listen` asks for" },
    { .name = "credentials", .type = OPTION_PATH, AT(credentials), .min = 1,
      .max = PATH_BYTES_MAX, .help = "folder of secrets; without it $CREDENTIALS_DIRECTORY" },
    { .name = "log_level", .type = OPTION_CHOICE, AT(log_level), .choices = log_levels,
      .fallback = "info", .help = "the least important lines that reach the journal" },
    { .name = "connections_max", .type = OPTION_UINT, AT(connections_max), .fallback = "256",
      .min = 8, .max = 10000, .help = "open at once, on the socket and `listen` together" },
    { .name = "body_max", .type = OPTION_UINT, AT(body_max), .fallback = "16777216",
      .min = 65536, .max = 1024 * MIB, .help = "bytes of one POST" },
    { .name = "wal_warn", .type = OPTION_UINT, AT(wal_warn), .fallback = "268435456",
      .min = MIB, .max = UINT32_MAX, .help = "bytes of the write-ahead log that are worth a warning" },
    { 0 },
};

struct week_settings {
    int64_t grace_ms;
    int64_t restate_horizon_ms;
    uint32_t penalty_after;
    int32_t seal_requires_e4;   /* 0: off */
};

const struct option conf_week_options[] = {
    { .name = "grace", .type = OPTION_SPAN, .offset = offsetof(struct week_settings, grace_ms),
      .fallback = "24h", .max = 30 * SPAN_DAY, .help = "after its end a week is sealed" },
    { .name = "restate_horizon", .type = OPTION_SPAN,
      .offset = offsetof(struct week_settings, restate_horizon_ms), .fallback = "35d",
      .max = 3660 * SPAN_DAY, .help = "weeks that ended longer ago change by hand alone" },
    { .name = "penalty_after", .type = OPTION_UINT,
      .offset = offsetof(struct week_settings, penalty_after), .fallback = "3", .min = 1,
      .max = 52, .help = "weeks missed in a row until a penalty is due" },
    { .name = "seal_requires", .type = OPTION_RATE,
      .offset = offsetof(struct week_settings, seal_requires_e4),
      .help = "coverage below which a week is not sealed by itself; off unless given" },
    { 0 },
};

struct name_settings {
    char *zh;
    char *en;
};

const struct option conf_name_options[] = {
    { .name = "zh", .type = OPTION_TEXT, .offset = offsetof(struct name_settings, zh), .min = 1,
      .max = NAME_SIZE * 2 - 1, .help = "in Chinese" },
    { .name = "en", .type = OPTION_TEXT, .offset = offsetof(struct name_settings, en), .min = 1,
      .max = NAME_SIZE * 2 - 1, .help = "in English" },
    { 0 },
};

const struct option_tree *conf_place(const struct option_tree *group, const char *name)
{
    const struct option_tree *tree = option_tree_get(group, name);

    return tree ? tree : group;
}

void conf_refuse_twice(struct conf_loader *loader, const char *what, const char *id,
                       const struct option_tree *place, const struct option_tree *first)
{
    fault_add_at(loader->faults, place, "%s \"%s\" stands at %s:%u already: give it another name "
                 "or take one of the two out", what, id, first->file, first->line);
}

bool conf_is_group(const struct option_tree *tree, const char *what, struct faults *faults)
{
    if (tree->type != TREE_GROUP)
        fault_add_at(faults, tree, "%s is a group: write %s = { ... };", what, what);
    return tree->type == TREE_GROUP;
}

void conf_read_display_name(struct conf_loader *loader, const char *list,
                            const struct option_tree *group, const char *id, char *ret_zh,
                            char *ret_en)
{
    struct name_settings names = { 0 };
    char *path;

    if (group && conf_is_group(group, "name", loader->faults))
        conf_read_one(group, "a name", conf_name_options, &names, loader->faults);
    text_set(ret_zh, NAME_SIZE * 2, names.zh ? names.zh : id);
    text_set(ret_en, NAME_SIZE * 2, names.en ? names.en : id);
    path = mem_printf("%s.%s.name", list, id);
    conf_write(&loader->canonical, path, conf_name_options, &names);
    free(path);
    option_finish(conf_name_options, &names);
}

static void read_week(struct conf_loader *loader, const struct option_tree *group)
{
    struct rules *rules = &loader->conf->rules;
    struct week_settings week = { 0 };

    if (group && !conf_is_group(group, "week", loader->faults))
        group = NULL;
    conf_read_one(group, "week", conf_week_options, &week, loader->faults);
    rules->grace_ms = week.grace_ms;
    rules->restate_horizon_ms = week.restate_horizon_ms;
    rules->penalty_after = (int32_t)week.penalty_after;
    rules->seal_requires_e4 = week.seal_requires_e4;
    conf_write(&loader->canonical, "week", conf_week_options, &week);
}

/* "127.0.0.1:8808", "[::1]:8808", "localhost:8808". */
static bool is_loopback(const char *address, size_t length)
{
    static const char *const names[] = { "[::1]", "localhost" };

    for (size_t i = 0; i < LENGTH(names); i++) {
        if (strlen(names[i]) == length && strncmp(names[i], address, length) == 0)
            return true;
    }
    return strncmp(address, "127.", 4) == 0 && strspn(address, "0123456789.") == length;
}

static void check_listen(const struct settings *settings, const struct option_tree *root,
                         struct faults *faults)
{
    const struct option_tree *place = conf_place(root, "listen");
    const char *colon;
    char *rest;
    unsigned long port;

    if (!settings->listen)
        return;
    colon = strrchr(settings->listen, ':');
    port = colon ? strtoul(colon + 1, &rest, 10) : 0;
    if (!colon || colon == settings->listen || strspn(colon + 1, "0123456789") > 5 || *rest ||
        port < 1 || port > 65535) {
        fault_add_at(faults, place, "listen \"%s\" is no address with a port: write "
                     "\"127.0.0.1:8808\"", settings->listen);
        return;
    }
    if (!settings->listen_token_file &&
        !is_loopback(settings->listen, (size_t)(colon - settings->listen)))
        fault_add_at(faults, place, "listen \"%s\" can be reached from outside: add "
                     "listen_token_file = \"/...\"; or write \"127.0.0.1:%lu\"",
                     settings->listen, port);
}

/* Moves what `settings` owns. */
static void fill(struct conf *conf, struct settings *settings)
{
    conf->database = settings->database;
    conf->socket = settings->socket;
    conf->socket_group = settings->socket_group;
    conf->admin_group = settings->admin_group;
    conf->listen = settings->listen;
    conf->listen_token_file = settings->listen_token_file;
    conf->credentials = settings->credentials;
    conf->log_level = (enum log_level)(LOG_LEVEL_ERR + settings->log_level);
    conf->connections_max = settings->connections_max;
    conf->body_max_bytes = settings->body_max;
    conf->wal_warn_bytes = settings->wal_warn;
}

static void write_root(struct conf_loader *loader, const struct settings *settings)
{
    struct settings flat = *settings;

    flat.kpis = flat.posts = flat.sources = flat.week = NULL;
    flat.conditions = flat.lookup = flat.bench = flat.profiles = flat.slots = NULL;
    conf_write(&loader->canonical, "", conf_root_options, &flat);
}

static void read_root(struct conf_loader *loader, const struct option_tree *root)
{
    struct settings settings = { 0 };

    conf_read_one(root, "kpid.conf", conf_root_options, &settings, loader->faults);
    check_listen(&settings, root, loader->faults);
    if (settings.timezone)
        conf_read_zone(loader, settings.timezone, conf_place(root, "timezone"));
    read_week(loader, settings.week);
    conf_read_sources(loader, settings.sources);
    conf_read_kpis(loader, settings.kpis);
    conf_read_posts(loader, settings.posts);
    conf_read_conditions(loader, settings.conditions);
    conf_read_lookup(loader, settings.lookup);
    conf_read_bench(loader, settings.bench);
    conf_read_profiles(loader, settings.profiles);
    conf_read_slots(loader, settings.slots);
    write_root(loader, &settings);

    option_tree_destroy(settings.kpis);
    option_tree_destroy(settings.posts);
    option_tree_destroy(settings.sources);
    option_tree_destroy(settings.week);
    option_tree_destroy(settings.conditions);
    option_tree_destroy(settings.lookup);
    option_tree_destroy(settings.bench);
    option_tree_destroy(settings.profiles);
    option_tree_destroy(settings.slots);
    free(settings.timezone);
    fill(loader->conf, &settings);
}

struct conf *conf_of_tree(const struct option_tree *root, struct faults *faults)
{
    struct conf_loader loader = { .conf = mem_zalloc(sizeof(struct conf)), .faults = faults };
    size_t before = faults->count;

    read_root(&loader, root);
    conf_seal(&loader);
    free(loader.kpi_places);
    free(loader.post_places);
    free(loader.profile_places);
    free(loader.slot_places);
    if (faults->count == before)
        return loader.conf;
    conf_destroy(loader.conf);
    return NULL;
}

struct conf *conf_load(const char *path, struct faults *faults)
{
    struct option_tree *root = conf_merge(path, faults);
    struct conf *conf = root ? conf_of_tree(root, faults) : NULL;

    option_tree_destroy(root);
    faults_sort(faults);
    return conf;
}

static void destroy_sources(struct conf *conf)
{
    for (size_t i = 0; i < conf->source_count; i++) {
        struct conf_source *source = &conf->sources[i];

        if (source->config)
            option_finish(source->driver->options, source->config);
        free(source->config);
        option_tree_destroy(source->tree);
    }
    free(conf->sources);
}

void conf_destroy(struct conf *conf)
{
    if (!conf)
        return;
    destroy_sources(conf);
    for (size_t i = 0; i < conf->profile_count; i++)
        free(conf->profiles[i].checks);
    free(conf->profiles);
    free(conf->slots);
    free(conf->lookup.sources);
    rules_finish(&conf->rules);
    free(conf->database);
    free(conf->socket);
    free(conf->socket_group);
    free(conf->admin_group);
    free(conf->listen);
    free(conf->listen_token_file);
    free(conf->credentials);
    free(conf->canonical);
    free(conf);
}

void faults_print(const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];

        if (fault->file && fault->line)
            fprintf(stderr, "%s:%u: %s\n", fault->file, fault->line, fault->text);
        else if (fault->file)
            fprintf(stderr, "%s: %s\n", fault->file, fault->text);
        else
            fprintf(stderr, "%s\n", fault->text);
    }
}
