/* Reading the daemon's JSON. A member that is missing, null or of another type reads as "nothing"
 * ("", 0, an empty list), because a newer daemon may say more and an older one less. */
#ifndef KPICTL_ANSWER_H
#define KPICTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yajl/yajl_tree.h>

/* NULL if `text` (NUL-terminated) is no JSON. Free with yajl_tree_free. */
yajl_val answer_parse(const char *text);

/* The member at `path` ("fact.scope"), or NULL. Borrows, as all below. */
yajl_val answer_get(yajl_val value, const char *path);
/* "" if it is no string. */
const char *answer_text(yajl_val value, const char *path);
/* 0 if it is no integer. */
int64_t answer_integer(yajl_val value, const char *path);
/* A fraction in whole `parts` (10000: ten-thousandths), nearest; `none` if it is no number. */
int64_t answer_parts(yajl_val value, const char *path, int64_t parts, int64_t none);
bool answer_is_true(yajl_val value, const char *path);

/* Elements of a list; 0 if it is none. */
size_t answer_length(yajl_val value, const char *path);
/* NULL if there is no such element. */
yajl_val answer_item(yajl_val value, const char *path, size_t i);

#endif
