/* The example configuration is good as it stands, and no option of any table is missing in it. */
#include "conf_fixture.h"

#include <ctype.h>

#include "config/conf_private.h"

static char *read_example(void)
{
    static const char path[] = "etc/kpid.conf";
    FILE *stream = fopen(path, "re");
    char *text = mem_zalloc(256 * 1024);

    if (!stream)
        fail_msg("%s: run the tests from the top of the tree", path);
    (void)fread(text, 1, 256 * 1024 - 1, stream);
    (void)fclose(stream);
    return text;
}

static void test_loads(void **state)
{
    static const char *const kpis[] = { "install_success",  "repair_success",   "fault_rate",
                                        "lookup_accuracy",  "dispatch_success",
                                        "inspection_success" };
    static const char *const posts[] = { "安装部长", "技术部长", "监控部长", "客服主任" };
    struct faults faults = { 0 };
    struct conf *conf = conf_load("etc/kpid.conf", &faults);

    (void)state;
    faults_print(&faults);
    assert_int_equal(faults.count, 0);
    assert_non_null(conf);
    assert_int_equal(conf->rules.kpi_count, LENGTH(kpis));
    for (size_t i = 0; i < LENGTH(kpis); i++) {
        assert_string_equal(conf->rules.kpis[i].id, kpis[i]);
        assert_int_equal(conf->rules.kpis[i].target_count, 1);
        assert_string_not_equal(conf->rules.kpis[i].name_zh, kpis[i]);
    }
    assert_int_equal(conf->post_count, LENGTH(posts));
    for (size_t i = 0; i < LENGTH(posts); i++)
        assert_string_equal(conf->posts[i].name_zh, posts[i]);
    assert_int_equal(conf->posts[3].kpi_count, 6);
    assert_int_equal(conf->source_count, 2);
    assert_true(conf->sources[0].enabled);
    assert_false(conf->sources[1].enabled);
    conf_destroy(conf);
}

/* `name = ` as a word of its own between two places, commented out or not. */
static bool is_set(const char *from, const char *to, const char *name)
{
    size_t length = strlen(name);

    for (const char *p = from; (p = strstr(p, name)) && p < to; p++) {
        bool begins = p == from || !(isalnum((unsigned char)p[-1]) || strchr("_-{\"/", p[-1]));
        const char *behind = p + length + strspn(p + length, " ");

        if (begins && *behind == '=')
            return true;
    }
    return false;
}

static void check_all(const char *from, const char *to, const char *what,
                      const struct option *options)
{
    for (const struct option *o = options; o->name; o++) {
        if (!is_set(from, to, o->name))
            fail_msg("etc/kpid.conf: %s: %s is missing", what, o->name);
    }
}

/* The text between two headings. */
static void section(const char *text, const char *from, const char *to, const char **ret_from,
                    const char **ret_to)
{
    *ret_from = strstr(text, from);
    assert_non_null(*ret_from);
    *ret_to = to ? strstr(*ret_from, to) : *ret_from + strlen(*ret_from);
    assert_non_null(*ret_to);
}

static void test_has_every_option(void **state)
{
    static const struct {
        const char *from, *to;
        const struct option *options;
    } rows[] = {
        { "---- What is counted", "---- Who answers", conf_kpi_options },
        { "---- What is counted", "---- Who answers", conf_target_options },
        { "---- What is counted", "---- Who answers", conf_plan_options },
        { "---- What is counted", "---- Who answers", conf_name_options },
        { "---- Who answers", "---- How weeks", conf_post_options },
        { "---- Who answers", "---- How weeks", conf_post_kpi_options },
        { "---- Who answers", "---- How weeks", conf_holder_options },
        { "---- How weeks", "---- Where events", conf_week_options },
        { "---- Where events", "---- The daemon", conf_source_options },
    };
    char *text = read_example();
    const char *from, *to;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        section(text, rows[i].from, rows[i].to, &from, &to);
        check_all(from, to, rows[i].from, rows[i].options);
    }
    check_all(text, text + strlen(text), "the file", conf_root_options);
    free(text);
}

/* Each driver has one source, from its `driver = ` to the end of the group. */
static void test_has_every_driver(void **state)
{
    char *text = read_example();
    const char *from, *to;

    (void)state;
    for (size_t i = 0; driver_registry[i]; i++) {
        char *begin = mem_printf("driver = \"%s\";", driver_registry[i]->name);

        section(text, begin, "\n    }", &from, &to);
        check_all(from, to, begin, driver_registry[i]->options);
        free(begin);
    }
    free(text);
}

/* What is commented out holds as well: a default shown is the default, an example is no fault. */
static void test_shown_defaults(void **state)
{
    char *text = read_example();

    (void)state;
    for (const struct option *o = conf_root_options; o->name; o++) {
        bool quoted = o->type != OPTION_UINT && o->type != OPTION_BOOL;
        char *shown;

        if (!o->fallback)
            continue;
        shown = mem_printf(quoted ? "# %s = \"%s\";\n" : "# %s = %s;\n", o->name, o->fallback);
        if (!strstr(text, shown))
            fail_msg("etc/kpid.conf does not show the default %s", shown);
        free(shown);
    }
    for (size_t i = 0; driver_registry[i]; i++) {
        for (const struct option *o = driver_registry[i]->options; o->name; o++) {
            bool quoted = o->type != OPTION_UINT && o->type != OPTION_BOOL;
            char *shown = NULL;

            /* What the samples set to something else needs no default beside it. */
            if (o->fallback && o->fallback[0])
                shown = mem_printf(quoted ? "# %s = \"%s\";\n" : "# %s = %s;\n", o->name,
                                   o->fallback);
            if (shown && !strstr(text, shown)) {
                char *set = mem_printf("\n        %s = ", o->name);

                if (!strstr(text, set))
                    fail_msg("etc/kpid.conf does not show the default %s", shown);
                free(set);
            }
            free(shown);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_has_every_option),
        cmocka_unit_test(test_has_every_driver),
        cmocka_unit_test(test_shown_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
