/* Trees and faults: look-up, freeing by the table, the order in which a person reads faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/option.h"

static struct option_tree *tree_create(const char *name, enum option_tree_type type)
{
    struct option_tree *tree = mem_zalloc(sizeof *tree);

    tree->type = type;
    tree->name = name ? mem_strdup(name) : NULL;
    tree->file = mem_strdup("a.conf");
    tree->line = 7;
    return tree;
}

static struct option_tree *tree_add(struct option_tree *to, struct option_tree *child)
{
    to->children =
        mem_realloc_array(to->children, to->child_count + 1, sizeof(struct option_tree *));
    to->children[to->child_count++] = child;
    return child;
}

static void test_tree(void **state)
{
    struct option_tree *group = tree_create(NULL, TREE_GROUP);
    struct option_tree *list = tree_add(group, tree_create("list", TREE_LIST));
    struct option_tree *text = tree_add(group, tree_create("text", TREE_TEXT));

    (void)state;
    text->text = mem_strdup("hello");
    tree_add(list, tree_create(NULL, TREE_INTEGER));
    assert_ptr_equal(option_tree_get(group, "text"), text);
    assert_ptr_equal(option_tree_get(group, "list"), list);
    assert_null(option_tree_get(group, "tex"));
    assert_null(option_tree_get(list, "text"));     /* a list has no names */
    assert_null(option_tree_get(NULL, "text"));
    option_tree_destroy(group);
    option_tree_destroy(NULL);
}

struct config {
    char *text;
    uint32_t number;
    struct option_texts texts;
    struct option_tree *tree;
};

static const struct option options[] = {
    { .name = "text", .type = OPTION_TEXT, .offset = offsetof(struct config, text) },
    { .name = "number", .type = OPTION_UINT, .offset = offsetof(struct config, number) },
    { .name = "texts", .type = OPTION_TEXTS, .offset = offsetof(struct config, texts) },
    { .name = "tree", .type = OPTION_TREE, .offset = offsetof(struct config, tree) },
    { 0 },
};

/* What leaks here is found by the sanitizer. */
static void test_finish(void **state)
{
    struct config config = { .text = mem_strdup("x"), .number = 3 };

    (void)state;
    config.texts.items = mem_zalloc(2 * sizeof *config.texts.items);
    config.texts.items[0] = mem_strdup("a");
    config.texts.items[1] = mem_strdup("b");
    config.texts.count = 2;
    config.tree = tree_create("t", TREE_GROUP);
    option_finish(options, &config);
    assert_null(config.text);
    assert_null(config.tree);
    assert_null(config.texts.items);
    assert_int_equal(config.number, 3);
    option_finish(options, &config);        /* once more does no harm */
}

static void test_faults(void **state)
{
    static const struct {
        const char *file;
        unsigned line;
    } added[] = {
        { "b", 9 }, { "a", 5 }, { "b", 3 }, { NULL, 0 }, { "a", 5 }, { "b", 3 }, { "a", 1 },
        { "c", 2 }, { NULL, 0 }, { "b", 1 },
    };
    static const char want[] = "b:1:9 b:3:2 b:3:5 b:9:0 a:1:6 a:5:1 a:5:4 -:0:3 -:0:8 c:2:7 ";
    struct faults faults = { 0 };
    char got[200] = "";

    (void)state;
    for (size_t i = 0; i < LENGTH(added); i++)
        fault_add(&faults, added[i].file, added[i].line, "%zu", i);
    faults_sort(&faults);
    for (size_t i = 0; i < faults.count; i++) {
        const struct fault *f = &faults.items[i];
        size_t used = strlen(got);

        (void)snprintf(got + used, sizeof got - used, "%s:%u:%s ", f->file ? f->file : "-",
                       f->line, f->text);
    }
    assert_string_equal(got, want);
    faults_finish(&faults);
    assert_int_equal(faults.count, 0);
    faults_sort(&faults);
}

static void test_fault_at(void **state)
{
    struct option_tree *tree = tree_create("x", TREE_TEXT);
    struct faults faults = { 0 };

    (void)state;
    fault_add_at(&faults, tree, "%s is wrong", "x");
    fault_add_at(&faults, NULL, "nowhere");
    assert_string_equal(faults.items[0].file, "a.conf");
    assert_int_equal(faults.items[0].line, 7);
    assert_string_equal(faults.items[0].text, "x is wrong");
    assert_null(faults.items[1].file);
    option_tree_destroy(tree);
    faults_finish(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
