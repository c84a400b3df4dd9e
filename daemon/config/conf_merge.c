/* kpid.conf and what lies in conf.d as one tree: `kpis`, `sources` and `posts` of every file one
 * after the other, any other setting as the last file has it. libconfig's own includes know no
 * globs, and would call a setting that stands in two files an error. */
#include "config/conf_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/conf_tree.h"

static bool is_appended(const struct option_tree *setting)
{
    static const char *const lists[] = { "kpis", "sources", "posts", "profiles", "slots" };

    for (size_t i = 0; i < LENGTH(lists); i++) {
        if (strcmp(setting->name, lists[i]) == 0)
            return setting->type == TREE_LIST;
    }
    return false;
}

static size_t index_of(const struct option_tree *group, const char *name)
{
    size_t i = 0;

    while (i < group->child_count && strcmp(group->children[i]->name, name) != 0)
        i++;
    return i;
}

/* Takes `setting`. */
static void merge_setting(struct option_tree *into, struct option_tree *setting)
{
    size_t i = index_of(into, setting->name);

    if (i == into->child_count) {
        option_tree_add(into, setting);
        return;
    }
    if (!is_appended(setting) || into->children[i]->type != TREE_LIST) {
        option_tree_destroy(into->children[i]);
        into->children[i] = setting;
        return;
    }
    for (size_t k = 0; k < setting->child_count; k++)
        option_tree_add(into->children[i], setting->children[k]);
    setting->child_count = 0;
    option_tree_destroy(setting);
}

static bool merge_file(struct option_tree *into, const char *path, struct faults *faults)
{
    struct option_tree *from = conf_tree_load(path, faults);

    if (!from)
        return false;
    for (size_t i = 0; i < from->child_count; i++)
        merge_setting(into, from->children[i]);
    from->child_count = 0;
    option_tree_destroy(from);
    return true;
}

static int is_conf(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* Bytewise, so that the order is the same in every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool merge_folder(struct option_tree *into, const char *folder, struct faults *faults)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_conf, by_name);
    bool good = true;

    if (count < 0 && errno == ENOENT)
        return true;
    if (count < 0) {
        fault_add(faults, folder, 0, "cannot be read: %s", strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

        if (!merge_file(into, path, faults))
            good = false;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return good;
}

struct option_tree *conf_merge(const char *path, struct faults *faults)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_printf("%.*s/conf.d", (int)(slash - path), path)
                         : mem_strdup("conf.d");
    struct option_tree *root = mem_zalloc(sizeof *root);
    bool good;

    root->type = TREE_GROUP;
    root->file = mem_strdup(path);
    good = merge_file(root, path, faults);
    good = merge_folder(root, folder, faults) && good;
    free(folder);
    if (good)
        return root;
    option_tree_destroy(root);
    return NULL;
}
