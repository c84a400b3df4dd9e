/* A private folder with kpid.conf and conf.d, and the faults of a load as one text. */
#ifndef KPID_TESTS_CONF_FIXTURE_H
#define KPID_TESTS_CONF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/conf.h"

struct fixture {
    char folder[64];
    char path[96];              /* of kpid.conf */
};

static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    FILE *stream;

    (void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
    stream = fopen(path, "we");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
    assert_int_equal(fclose(stream), 0);
}

static inline void fixture_init(struct fixture *f)
{
    char conf_d[80];

    strcpy(f->folder, "/tmp/test_conf.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/kpid.conf", f->folder);
    (void)snprintf(conf_d, sizeof conf_d, "%s/conf.d", f->folder);
    assert_int_equal(mkdir(conf_d, 0700), 0);
}

static inline int fixture_remove_one(const char *path, const struct stat *is, int type,
                                     struct FTW *where)
{
    (void)is;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void fixture_finish(struct fixture *f)
{
    assert_int_equal(nftw(f->folder, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* "FILE:LINE: TEXT" for each, with the private folder taken off. Gives. */
static inline char *fixture_faults(const struct fixture *f, const struct faults *faults)
{
    struct text_buffer all = { 0 };
    size_t length = strlen(f->folder);
    char *p;

    for (size_t i = 0; i < faults->count; i++)
        text_buffer_addf(&all, "%s:%u: %s\n", faults->items[i].file ? faults->items[i].file : "",
                         faults->items[i].line, faults->items[i].text);
    text_buffer_adds(&all, "");
    while ((p = strstr(all.bytes, f->folder)))
        memmove(p, p + length + 1, strlen(p + length + 1) + 1);
    return text_buffer_take(&all);
}

/* Loads `text` as kpid.conf; NULL, after comparing them, if it has these faults. */
static inline struct conf *fixture_load(const struct fixture *f, const char *text,
                                        const char *want_faults)
{
    struct faults faults = { 0 };
    struct conf *conf;
    char *got;

    fixture_write(f, "kpid.conf", text);
    conf = conf_load(f->path, &faults);
    got = fixture_faults(f, &faults);
    faults_finish(&faults);
    assert_string_equal(got, want_faults);
    assert_int_equal(conf == NULL, want_faults[0] != '\0');
    free(got);
    return conf;
}

/* One good KPI on one line, for what is not about KPIs. */
#define ZONE "timezone = \"Asia/Shanghai\";\n"
#define KPI "{ id = \"lookup_accuracy\"; counts = \"lookup\"; direction = \"at_least\"; }"
#define KPIS "kpis = ( " KPI " );\n"

#endif
