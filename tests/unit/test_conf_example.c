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
    assert_true(fread(text, 1, 256 * 1024 - 1, stream) > 0);
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
    assert_int_equal(conf->rules.post_count, LENGTH(posts));
    for (size_t i = 0; i < LENGTH(posts); i++)
        assert_string_equal(conf->rules.posts[i].name_zh, posts[i]);
    assert_int_equal(conf->rules.posts[3].kpi_count, 6);
    assert_true(conf->source_count > 1);
    for (size_t i = 0; i < conf->source_count; i++)
        assert_int_equal(conf->sources[i].enabled, i == 0); /* the others are samples */
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
        { "---- Where events", "---- Faults of", conf_source_options },
        { "---- Faults of", "---- Look-ups", conf_conditions_options },
        { "---- Look-ups", "---- The installation", conf_lookup_options },
        { "---- The installation", "---- The daemon", conf_bench_options },
        { "---- The installation", "---- The daemon", conf_profile_options },
        { "---- The installation", "---- The daemon", conf_check_options },
        { "---- The installation", "---- The daemon", conf_slot_options },
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
        for (const struct driver_part *p = driver_registry[i]->parts; p && p->title; p++)
            check_all(from, to, p->title, p->options);
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

/* Where a commented setting begins that is the next one from `p` on: behind its "# "; NULL: none. */
static char *next_commented(char *p)
{
    for (; (p = strstr(p, "# ")); p++) {
        size_t word = strspn(p + 2, "abcdefghijklmnopqrstuvwxyz_");

        if (word && strncmp(p + 2 + word, " = ", 3) == 0)
            return p;
    }
    return NULL;
}

/* Blanks the comment signs from `p` to the semicolon that ends the setting. Behind the end. */
static char *uncomment(char *p)
{
    int depth = 0;
    bool quoted = false;

    for (bool begins = true; *p; p++) {
        if (begins && *p == '#')
            *p = ' ';
        if (*p == '"' && p[-1] != '\\')
            quoted = !quoted;
        if (!quoted)
            depth += (strchr("({[", *p) != NULL) - (strchr(")}]", *p) != NULL);
        if (!quoted && depth == 0 && *p == ';')
            return p + 1;
        begins = *p == '\n' || (begins && *p == ' ');
    }
    return p;
}

/* True if `text` is a good configuration; a double name is `ret_double` instead of a fault. */
static bool loads(const struct fixture *f, const char *text, const char *what, bool *ret_double)
{
    struct faults faults = { 0 };
    bool good;

    fixture_write(f, "kpid.conf", text);
    conf_destroy(conf_load(f->path, &faults));
    *ret_double = faults.count && strstr(faults.items[0].text, "duplicate setting name");
    if (faults.count && !*ret_double)
        print_error("etc/kpid.conf: %.60s ...: %s\n", what, faults.items[0].text);
    good = faults.count == 0 || *ret_double;
    faults_finish(&faults);
    return good;
}

/* Each setting that is commented out is taken in and must be no fault. From the last to the first,
 * and what is good stays: a mapping needs the constants and the events that stand below it. Where
 * an active setting has the same name it keeps its place. (What holds only with another choice,
 * and would be a fault beside the present one, is indented deeper in the example.) */
static void test_commented_settings_are_good(void **state)
{
    struct fixture f;
    char *text = read_example();
    size_t places[400], count = 0;

    (void)state;
    fixture_init(&f);
    for (char *p = text; (p = next_commented(p)); p = uncomment(p)) {
        assert_true(count < LENGTH(places));
        places[count++] = (size_t)(p - text);
    }
    free(text);
    text = read_example();
    assert_true(count > 40);
    while (count-- > 0) {
        char *copy = mem_strdup(text);
        bool is_double;

        (void)uncomment(copy + places[count]);
        assert_true(loads(&f, copy, text + places[count], &is_double));
        free(is_double ? copy : text);
        text = is_double ? text : copy;
    }
    free(text);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_has_every_option),
        cmocka_unit_test(test_has_every_driver),
        cmocka_unit_test(test_shown_defaults),
        cmocka_unit_test(test_commented_settings_are_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
