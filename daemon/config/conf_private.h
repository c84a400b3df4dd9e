/* Between the files of this folder: what a load in progress knows, and one function for each
 * section of the configuration. */
#ifndef KPID_CONFIG_CONF_PRIVATE_H
#define KPID_CONFIG_CONF_PRIVATE_H

#include "base/text.h"
#include "config/conf.h"
#include "config/conf_read.h"

struct conf_loader {
    struct conf *conf;                      /* filled from section to section */
    struct faults *faults;
    struct text_buffer canonical;           /* lines, not sorted yet */
    const struct option_tree **kpi_places;  /* of conf->rules.kpis, for faults */
    const struct option_tree **post_places; /* of conf->rules.posts */
    const struct option_tree **profile_places, **slot_places;
};

/* conf_merge.c: the file and its conf.d as one tree. NULL if one of them has an error of syntax. */
struct option_tree *conf_merge(const char *path, struct faults *faults);

/* conf.c: what the merged tree means. NULL, with faults, if it means nothing good. */
struct conf *conf_of_tree(const struct option_tree *root, struct faults *faults);

/* Each reads one list of the merged tree (NULL: it is not there), in this order. */
void conf_read_sources(struct conf_loader *loader, const struct option_tree *list);
void conf_read_kpis(struct conf_loader *loader, const struct option_tree *list);
void conf_read_posts(struct conf_loader *loader, const struct option_tree *list);
void conf_read_profiles(struct conf_loader *loader, const struct option_tree *list);
void conf_read_slots(struct conf_loader *loader, const struct option_tree *list);
/* Groups; NULL: what holds without them. */
void conf_read_lookup(struct conf_loader *loader, const struct option_tree *group);
void conf_read_bench(struct conf_loader *loader, const struct option_tree *group);
void conf_read_conditions(struct conf_loader *loader, const struct option_tree *group);

/* False, with a fault, if `tree` is no group. */
bool conf_is_group(const struct option_tree *tree, const char *what, struct faults *faults);

/* Adds the fault that `id` was used before, with both places. */
void conf_refuse_twice(struct conf_loader *loader, const char *what, const char *id,
                       const struct option_tree *place, const struct option_tree *first);

/* A group { zh; en; } of `list` ("kpis") into two texts of NAME_SIZE * 2; where one is missing
 * `id` stands. */
void conf_read_display_name(struct conf_loader *loader, const char *list,
                            const struct option_tree *group, const char *id, char *ret_zh,
                            char *ret_en);

/* conf_zone.c: loads the zone of that name into the rules, or adds a fault at `place`. */
void conf_read_zone(struct conf_loader *loader, const char *name,
                    const struct option_tree *place);

/* The setting `name` of `group` for the place of a fault, or the group if it is not there. */
const struct option_tree *conf_place(const struct option_tree *group, const char *name);

/* Sorts the lines of the canonical text, moves it into the configuration and digests it. */
void conf_seal(struct conf_loader *loader);

/* The tables, for the manual and the tests; each ends with a null name. */
extern const struct option conf_root_options[];
extern const struct option conf_week_options[];
extern const struct option conf_source_options[];
extern const struct option conf_kpi_options[];
extern const struct option conf_target_options[];
extern const struct option conf_plan_options[];
extern const struct option conf_name_options[];
extern const struct option conf_post_options[];
extern const struct option conf_post_kpi_options[];
extern const struct option conf_holder_options[];
extern const struct option conf_conditions_options[];
extern const struct option conf_lookup_options[];
extern const struct option conf_bench_options[];
extern const struct option conf_profile_options[];
extern const struct option conf_check_options[];
extern const struct option conf_slot_options[];

#endif
