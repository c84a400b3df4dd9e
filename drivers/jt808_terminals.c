/* The terminals that a gateway knows; see jt808_terminals.h. */
#include "jt808_terminals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "csv.h"

enum { IDENTITIES_MAX = 200000, LINE_MAX_BYTES = 4096 };

const char *jt808_strip(const char *sender)
{
    while (sender[0] == '0' && sender[1] != '\0')
        sender++;
    return sender;
}

/* --- Models */

static uint32_t bit_of(enum jt808_alarm_table table, const char *code)
{
    for (const struct jt808_alarm *a = jt808_alarms(table); a->code; a++)
        if (strcmp(a->code, code) == 0)
            return UINT32_C(1) << a->bit;
    return 0;
}

static void read_ignored(const struct option_tree *list, struct jt808_model *model,
                         struct faults *faults)
{
    for (size_t i = 0; i < list->child_count; i++) {
        const struct option_tree *code = list->children[i];
        uint32_t bit = code->type == TREE_TEXT
                           ? bit_of(model->speaks_905 ? JT905_ALARMS : JT808_ALARMS, code->text)
                           : 0;

        if (bit == 0)
            fault_add_at(faults, code, "there is no such fault: write for instance \"%s\"",
                         model->speaks_905 ? "led_roof_light" : "gnss_antenna_open");
        model->ignored |= bit;
    }
}

static void read_model(const struct option_tree *group, struct jt808_model *model,
                       struct faults *faults)
{
    const struct option_tree *name = option_tree_get(group, "model");
    const struct option_tree *alarms = option_tree_get(group, "alarms");
    const struct option_tree *inverted = option_tree_get(group, "inverted_fix");
    const struct option_tree *ignored = option_tree_get(group, "ignore");

    if (!name || name->type != TREE_TEXT ||
        !text_copy(model->name, sizeof model->name, name->text, strlen(name->text)))
        fault_add_at(faults, group, "a model needs its name: write model = \"...\", as in the "
                                    "column of the terminals' table");
    if (alarms && (alarms->type != TREE_TEXT ||
                   (strcmp(alarms->text, "808") != 0 && strcmp(alarms->text, "905") != 0)))
        fault_add_at(faults, alarms, "alarms: write \"808\" or \"905\"");
    else
        model->speaks_905 = alarms && strcmp(alarms->text, "905") == 0;
    if (inverted && inverted->type != TREE_BOOL)
        fault_add_at(faults, inverted, "inverted_fix: write true or false");
    else
        model->inverted_fix = inverted && inverted->integer;
    if (ignored)
        read_ignored(ignored, model, faults);
}

static void refuse_unknown(const struct option_tree *group, struct faults *faults)
{
    static const char *const keys[] = { "alarms", "ignore", "inverted_fix", "model", NULL };

    for (size_t i = 0; i < group->child_count; i++) {
        const char *name = group->children[i]->name, *near;
        size_t k = 0;

        while (keys[k] && strcmp(keys[k], name) != 0)
            k++;
        if (keys[k])
            continue;
        near = text_nearest(name, keys);
        fault_add_at(faults, group->children[i], "a model has no setting %s: %s%s", name,
                     near ? "did you mean " : "it has alarms, ignore, inverted_fix, model",
                     near ? near : "");
    }
}

void jt808_models_read(const struct option_tree *models, struct jt808_models *ret,
                       struct faults *faults)
{
    *ret = (struct jt808_models){ 0 };
    for (size_t i = 0; models && i < models->child_count; i++) {
        const struct option_tree *group = models->children[i];

        if (group->type != TREE_GROUP) {
            fault_add_at(faults, group, "models: write a list of { model; alarms; inverted_fix; "
                                        "ignore; }");
            continue;
        }
        ret->items = mem_realloc_array(ret->items, ret->count + 1, sizeof *ret->items);
        ret->items[ret->count] = (struct jt808_model){ 0 };
        refuse_unknown(group, faults);
        read_model(group, &ret->items[ret->count++], faults);
    }
}

/* --- The company's table */

enum { COLUMN_TERMINAL, COLUMN_DEVICE, COLUMN_VEHICLE, COLUMN_SITE, COLUMN_MODEL, COLUMN_COUNT };
static const char *const columns[COLUMN_COUNT] = { "terminal", "device", "vehicle", "site",
                                                   "model" };

struct table {
    const char *path;
    FILE *file;
    unsigned line;
    int at[COLUMN_COUNT];       /* -1: not there */
    struct jt808_identities *ret;
};

static bool is_cell(const struct csv_cell *cell, const char *text)
{
    return cell->length == strlen(text) && memcmp(cell->text, text, cell->length) == 0;
}

static int read_head(struct table *t, struct csv_cell *cells, int count, struct err *err)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        t->at[c] = -1;
        for (int i = 0; i < count; i++)
            if (is_cell(&cells[i], columns[c]))
                t->at[c] = i;
    }
    if (t->at[COLUMN_TERMINAL] < 0)
        return err_set(err, -EINVAL, "%s:1: no column \"terminal\": the first line names the "
                       "columns terminal, device, vehicle, site, model", t->path);
    return 0;
}

static bool copy_cell(const struct table *t, int column, const struct csv_cell *cells, int count,
                      char *to, size_t size)
{
    int i = t->at[column];

    to[0] = '\0';
    return i < 0 || i >= count || text_copy(to, size, cells[i].text, cells[i].length);
}

static int read_identity(struct table *t, const struct csv_cell *cells, int count,
                         struct err *err)
{
    struct jt808_identity *is;
    char sender[JT808_ID_SIZE];

    if (t->ret->count == IDENTITIES_MAX)
        return err_set(err, -E2BIG, "%s:%u: more than %d terminals", t->path, t->line,
                       IDENTITIES_MAX);
    if ((t->ret->count & (t->ret->count + 1)) == 0)     /* 0, 1, 3, 7 ...: doubles */
        t->ret->items = mem_realloc_array(t->ret->items, 2 * t->ret->count + 2,
                                          sizeof *t->ret->items);
    is = &t->ret->items[t->ret->count];
    if (!copy_cell(t, COLUMN_TERMINAL, cells, count, sender, sizeof sender) || !sender[0])
        return err_set(err, -EINVAL, "%s:%u: terminal: 12 or 20 digits are wanted", t->path,
                       t->line);
    text_set(is->sender, sizeof is->sender, jt808_strip(sender));
    if (!copy_cell(t, COLUMN_DEVICE, cells, count, is->device, sizeof is->device) ||
        !copy_cell(t, COLUMN_VEHICLE, cells, count, is->vehicle, sizeof is->vehicle) ||
        !copy_cell(t, COLUMN_SITE, cells, count, is->site, sizeof is->site) ||
        !copy_cell(t, COLUMN_MODEL, cells, count, is->model, sizeof is->model))
        return err_set(err, -EINVAL, "%s:%u: a cell has more than %d bytes", t->path, t->line,
                       TERMINAL_NAME_SIZE - 1);
    t->ret->count++;
    return 0;
}

static int read_lines(struct table *t, struct err *err)
{
    char line[LINE_MAX_BYTES];
    struct csv_cell cells[CSV_CELLS_MAX];
    int rc = 0;

    while (rc == 0 && fgets(line, sizeof line, t->file)) {
        size_t length = strcspn(line, "\r\n");
        int count;

        t->line++;
        if (length == 0)
            continue;
        count = csv_split(line, length, ',', cells);
        if (count < 0)
            rc = err_set(err, -EINVAL, "%s:%u: no CSV: quotes stand around a whole cell, or not "
                         "at all", t->path, t->line);
        else
            rc = t->line == 1 ? read_head(t, cells, count, err)
                              : read_identity(t, cells, count, err);
    }
    return rc;
}

static int by_sender(const void *a, const void *b)
{
    const struct jt808_identity *x = a, *y = b;

    return strcmp(x->sender, y->sender);
}

int jt808_identities_read(const char *path, struct jt808_identities *ret, struct err *err)
{
    struct table t = { .path = path, .file = fopen(path, "re"), .ret = ret };
    int rc;

    *ret = (struct jt808_identities){ 0 };
    if (!t.file)
        return err_set(err, -errno, "%s: %s: write the table of terminals there, or leave out "
                       "`terminals`", path, strerror(errno));
    rc = read_lines(&t, err);
    fclose(t.file);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_sender);
    return rc;
}

const struct jt808_identity *jt808_identities_find(const struct jt808_identities *identities,
                                                   const char *sender)
{
    struct jt808_identity key = { 0 };

    if (identities->count == 0)
        return NULL;
    text_set(key.sender, sizeof key.sender, jt808_strip(sender));
    return bsearch(&key, identities->items, identities->count, sizeof key, by_sender);
}
