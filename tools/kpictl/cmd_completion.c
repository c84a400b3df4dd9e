/* kpictl completion: the shell's part is printed from the table of subcommands; what only the
 * daemon knows (KPIs, inputs) the script asks for, through this same subcommand, while somebody
 * types. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "kpictl.h"

/* " --kpi --scope" of a table. */
static void print_flag_names(const struct flag *flags)
{
    for (; flags && flags->name; flags++)
        printf(" --%s", flags->name);
}

/* The shell words that complete a value: compgen's arguments. */
static void print_words(const char *words)
{
    if (!words)
        printf("\"\"");
    else if (strcmp(words, "@files") == 0)
        printf("@files");
    else if (words[0] == '@')
        printf("\"$(kpictl completion %s 2>/dev/null)\"", words + 1);
    else
        printf("\"%s\"", words);
}

static void print_value_cases(const struct flag *flags, const char *subcommand)
{
    for (; flags && flags->name; flags++) {
        if (!flags->value)
            continue;
        printf("        %s:--%s) words=", subcommand, flags->name);
        print_words(flags->words);
        printf(" ;;\n");
    }
}

/* What stands on the line so far decides: the subcommand, and the word before the cursor. */
static void print_head(void)
{
    printf("# bash completion of kpictl(1); printed by `kpictl completion bash`.\n"
           "_kpictl()\n"
           "{\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} sub= words= i\n"
           "\n"
           "    COMPREPLY=()\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        --socket) i=$((i + 1)) ;;\n"
           "        -*) ;;\n"
           "        *) sub=${COMP_WORDS[i]}; break ;;\n"
           "        esac\n"
           "    done\n"
           "\n");
}

/* Where no value is due: subcommands, then a subcommand's flags and its operand. */
static void print_word_cases(const struct subcommand *table, size_t count)
{
    printf("            :*) words=\"");
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? " " : "", table[i].name);
    print_flag_names(common_flags);
    printf("\" ;;\n");
    for (size_t i = 0; i < count; i++) {
        printf("            %s:-*) words=\"", table[i].name);
        print_flag_names(table[i].flags);
        print_flag_names(common_flags);
        printf("\" ;;\n");
        if (table[i].words) {
            printf("            %s:*) words=", table[i].name);
            print_words(table[i].words);
            printf(" ;;\n");
        }
    }
}

static void print_bash(const struct subcommand *table, size_t count)
{
    print_head();
    printf("    case $sub:$prev in\n");
    print_value_cases(common_flags, "*");
    printf("        sources:poll) words=");
    print_words("@sources");
    printf(" ;;\n"
           "        bench:start|bench:cancel) words=");
    print_words("@slots");
    printf(" ;;\n");
    for (size_t i = 0; i < count; i++)
        print_value_cases(table[i].flags, table[i].name);
    printf("        *)\n"
           "            case $sub:$cur in\n");
    print_word_cases(table, count);
    printf("            esac ;;\n"
           "    esac\n"
           "\n"
           "    if [[ $words == @files ]]; then\n"
           "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
           "    else\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "    fi\n"
           "}\n"
           "complete -F _kpictl kpictl\n");
}

static int print_members(struct kpictl *kpictl, const char *path, const char *list,
                         const char *member)
{
    struct reply reply;
    int status = client_get(kpictl->client, path, &reply);

    if (status != EXIT_WELL)
        return status;
    for (size_t i = 0; i < answer_length(reply.json, list); i++)
        printf("%s\n", answer_text(answer_item(reply.json, list, i), member));
    reply_finish(&reply);
    return EXIT_WELL;
}

/* The types of event that a person records. */
static int print_types(void)
{
    static const char *const kinds[] = { "install", "repair", "lookup", "dispatch", "inspection" };
    static const char *const acts[] = { "opened", "settled", "reopened", "amended" };
    static const char *const devices[] = { "commissioned", "decommissioned", "faulted",
                                           "recovered" };

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t a = 0; a < sizeof acts / sizeof acts[0]; a++)
            printf("%s.%s\n", kinds[k], acts[a]);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        printf("device.%s\n", devices[i]);
    return EXIT_WELL;
}

int run_completion(struct kpictl *kpictl)
{
    const char *what = arguments_operand(kpictl->arguments, 0);
    size_t count;
    const struct subcommand *table = subcommand_table(&count);

    if (strcmp(what, "kpis") == 0)
        return print_members(kpictl, "/v1/status", "kpis", "id");
    if (strcmp(what, "sources") == 0)
        return print_members(kpictl, "/v1/sources", "sources", "name");
    if (strcmp(what, "slots") == 0)
        return print_members(kpictl, "/v1/bench", "slots", "slot");
    if (strcmp(what, "types") == 0)
        return print_types();
    if (strcmp(what, "commands") == 0) {
        for (size_t i = 0; i < count; i++)
            printf("%s\n", table[i].name);
        return EXIT_WELL;
    }
    if (strcmp(what, "bash") != 0)
        return usage_error("there is completion for bash alone: kpictl completion bash");
    print_bash(table, count);
    return EXIT_WELL;
}
