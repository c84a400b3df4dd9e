/* Reads a command line by tables of flags. Not getopt_long: its tables carry neither help nor
 * words for completion, and its complaints do not say what was meant. */
#include "arguments.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct flag common_flags[] = {
    { "help", NULL, "what this subcommand does", NULL },
    { "json", NULL, "the daemon's answer as it is, for programs", NULL },
    { "socket", "PATH", "where the daemon listens, if not on /run/kpid/kpid.sock or $KPID_SOCKET",
      "@files" },
    { 0 },
};

/* Where the value of the flag called by the first `length` bytes of `name` is kept; NULL if the
 * table has none. */
static const char **find(const struct flag *flags, const char **values, const char *name,
                         size_t length, const struct flag **ret_flag)
{
    for (size_t i = 0; flags && flags[i].name; i++) {
        assert(i < FLAGS_MAX);
        if (strlen(flags[i].name) == length && strncmp(flags[i].name, name, length) == 0) {
            *ret_flag = &flags[i];
            return &values[i];
        }
    }
    return NULL;
}

static int unknown_flag(const struct flag *flags, const char *word, struct err *err)
{
    const char *names[2 * FLAGS_MAX + 1];
    const char *nearest;
    size_t count = 0;
    char quoted[80];

    for (size_t i = 0; flags && flags[i].name; i++)
        names[count++] = flags[i].name;
    for (size_t i = 0; common_flags[i].name; i++)
        names[count++] = common_flags[i].name;
    names[count] = NULL;

    nearest = text_nearest(word + strspn(word, "-"), names);
    text_quote(quoted, sizeof quoted, word, strcspn(word, "="));
    if (nearest)
        return err_set(err, -EINVAL, "there is no %s: did you mean --%s?", quoted, nearest);
    return err_set(err, -EINVAL, "there is no %s", quoted);
}

/* Reads the flag at argv[*i]; moves *i on if its value is the next word. */
static int parse_flag(struct arguments *arguments, int argc, const char *const *argv, int *i,
                      struct err *err)
{
    const char *word = argv[*i];
    const char *name = word + 2;
    const char *equals = strchr(word, '=');
    const struct flag *flag = NULL;
    const char **value = NULL;
    size_t length;

    if (strcmp(word, "-h") == 0)
        name = "help";
    else if (strncmp(word, "--", 2) != 0)
        return unknown_flag(arguments->flags, word, err);
    length = strcspn(name, "=");

    value = find(arguments->flags, arguments->values, name, length, &flag);
    if (!value)
        value = find(common_flags, arguments->common, name, length, &flag);
    if (!value)
        return unknown_flag(arguments->flags, word, err);

    if (!flag->value) {
        if (equals)
            return err_set(err, -EINVAL, "--%s takes no value", flag->name);
        *value = "";
    } else if (equals) {
        *value = equals + 1;
    } else {
        if (*i + 1 >= argc)
            return err_set(err, -EINVAL, "--%s needs a value: --%s %s", flag->name, flag->name,
                           flag->value);
        *value = argv[++*i];
    }
    return 0;
}

int arguments_parse(struct arguments *ret, const struct flag *flags, int argc,
                    const char *const *argv, struct err *err)
{
    struct arguments arguments = { .flags = flags };
    bool operands_only = false;
    int rc;

    for (int i = 0; i < argc; i++) {
        if (!operands_only && strcmp(argv[i], "--") == 0) {
            operands_only = true;
        } else if (!operands_only && argv[i][0] == '-' && argv[i][1] != '\0') {
            rc = parse_flag(&arguments, argc, argv, &i, err);
            if (rc < 0)
                return rc;
        } else {
            if (arguments.operand_count == OPERANDS_MAX)
                return err_set(err, -EINVAL, "too many words");
            arguments.operands[arguments.operand_count++] = argv[i];
        }
    }
    *ret = arguments;
    return 0;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
    const struct flag *flag;

    for (size_t i = 0; arguments->flags && arguments->flags[i].name; i++)
        if (strcmp(arguments->flags[i].name, name) == 0)
            return arguments->values[i];
    for (size_t i = 0; common_flags[i].name; i++) {
        flag = &common_flags[i];
        if (strcmp(flag->name, name) == 0)
            return arguments->common[i];
    }
    assert(false && "a flag that no table has");
    return NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
    return arguments_value(arguments, name) != NULL;
}

const char *arguments_operand(const struct arguments *arguments, size_t place)
{
    return place < arguments->operand_count ? arguments->operands[place] : NULL;
}
