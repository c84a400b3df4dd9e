/* Acts of the command line upon the configuration and the ledger's file. */
#include "offline.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/conf.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"

char *offline_user(void)
{
    const struct passwd *me = getpwuid(geteuid());

    if (me)
        return mem_strdup(me->pw_name);
    return mem_printf("uid:%u", geteuid());
}

struct conf *offline_conf(const char *path)
{
    struct faults faults = { 0 };
    struct conf *conf = conf_load(path, &faults);

    if (!conf)
        faults_print(&faults);
    faults_finish(&faults);
    return conf;
}

static int failed(const struct err *err)
{
    fprintf(stderr, "kpid: %s\n", err->text);
    return EXIT_FAILED;
}

static int would_move(const struct conf *conf)
{
    struct err err = { 0 };
    int moved = ledger_would_move(conf->database, &conf->rules, stdout, &err);

    if (moved < 0)
        return failed(&err);
    printf("%d open fact%s would move\n", moved, moved == 1 ? "" : "s");
    return EXIT_WELL;
}

int offline_check(const char *path, bool against_ledger)
{
    struct conf *conf = offline_conf(path);
    int status = EXIT_WELL;

    if (!conf)
        return EXIT_USAGE;
    printf("%s: well: %zu KPIs, %zu posts, %zu sources\n", path, conf->rules.kpi_count,
           conf->rules.post_count, conf->source_count);
    if (against_ledger)
        status = would_move(conf);
    conf_destroy(conf);
    return status;
}

static void tell_progress(void *arg, const char *what)
{
    int *told = arg;

    /* Often called: a terminal needs a line now and then. */
    if ((*told)++ % 10 == 0)
        fprintf(stderr, "kpid: %s\n", what);
}

int offline_rebuild(const char *path, bool compare)
{
    struct conf *conf = offline_conf(path);
    struct err err = { 0 };
    int told = 0;
    char *user;
    int rc;

    if (!conf)
        return EXIT_USAGE;
    user = offline_user();
    rc = ledger_rebuild(&(struct ledger_options){ .path = conf->database,
                                                  .rules = &conf->rules,
                                                  .digest = conf->digest,
                                                  .by = user,
                                                  .clock = &clock_system,
                                                  .wal_warn_bytes = conf->wal_warn_bytes,
                                                  .progress = tell_progress,
                                                  .progress_arg = &told },
                        compare, stdout, &err);
    free(user);
    conf_destroy(conf);
    if (rc < 0)
        return failed(&err);
    if (rc == 0)
        puts(compare ? "every fact equals a fold from the log" : "rebuilt from the log");
    return rc == 0 ? EXIT_WELL : EXIT_FAILED;
}

int offline_backup(const char *path, const char *to)
{
    struct conf *conf = offline_conf(path);
    struct err err = { 0 };
    int rc;

    if (!conf)
        return EXIT_USAGE;
    rc = ledger_backup(conf->database, to, &err);
    if (rc == 0)
        printf("%s backed up to %s\n", conf->database, to);
    conf_destroy(conf);
    return rc < 0 ? failed(&err) : EXIT_WELL;
}

int offline_restore(const char *path, const char *from)
{
    struct conf *conf = offline_conf(path);
    struct err err = { 0 };
    int rc;

    if (!conf)
        return EXIT_USAGE;
    rc = ledger_verify(from, &conf->rules, stdout, &err);
    if (rc == 1)
        printf("%s was not restored: its facts are not those of its log\n", from);
    if (rc == 0) {
        rc = ledger_restore(from, conf->database, &err);
        if (rc == 0)
            printf("%s restored from %s\n", conf->database, from);
    }
    conf_destroy(conf);
    if (rc < 0)
        return failed(&err);
    return rc == 0 ? EXIT_WELL : EXIT_FAILED;
}

int offline_verify(const char *path)
{
    struct chain_report report;
    struct err err = { 0 };

    if (chain_verify(path, NULL, &report, &err) < 0)
        return failed(&err);
    if (report.first_bad) {
        printf("%s: broken at %s\n", path, report.why);
        return EXIT_FAILED;
    }
    printf("%s: the chain holds: %lld records, %lld sealed facts, %lld events\n%s\n", path,
           (long long)report.records, (long long)report.facts, (long long)report.events,
           report.digest);
    return EXIT_WELL;
}

/* The source of that name, or NULL with a sentence on standard error. */
static const struct conf_source *source_to_probe(const struct conf *conf, const char *path,
                                                 const char *name)
{
    for (size_t i = 0; i < conf->source_count; i++) {
        const struct conf_source *source = &conf->sources[i];

        if (strcmp(source->name, name) != 0)
            continue;
        if (source->driver->probe)
            return source;
        fprintf(stderr, "kpid: %s: driver %s has no device to talk to\n", name,
                source->driver->name);
        return NULL;
    }
    fprintf(stderr, "kpid: no source \"%s\" in %s\n", name, path);
    return NULL;
}

int offline_probe(const char *path, const char *name)
{
    struct conf *conf = offline_conf(path);
    const struct conf_source *source;
    struct err err = { 0 };
    int rc = -ENOENT;

    if (!conf)
        return EXIT_USAGE;
    source = source_to_probe(conf, path, name);
    if (source) {
        const struct driver_env env = { .name = name,
                                        .clock = &clock_system,
                                        .credentials = conf->credentials,
                                        .timezone = conf->rules.zone.name };

        log_set_level(LOG_LEVEL_ERR); /* what it finds is printed */
        rc = source->driver->probe(source->config, &env, stdout, &err);
        if (rc < 0)
            fprintf(stderr, "kpid: %s: %s\n", name, err.text);
    }
    conf_destroy(conf);
    return rc < 0 ? EXIT_FAILED : EXIT_WELL;
}
