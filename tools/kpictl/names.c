/* What the configured KPIs are called. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/mem.h"

void kpi_names_read(struct kpi_names *ret, yajl_val status, bool chinese)
{
    struct kpi_names names = { .count = answer_length(status, "kpis") };

    names.items = mem_zalloc((names.count + 1) * sizeof *names.items);
    for (size_t i = 0; i < names.count; i++) {
        yajl_val kpi = answer_item(status, "kpis", i);
        const char *name = answer_text(kpi, chinese ? "name.zh" : "name.en");

        names.items[i].id = mem_strdup(answer_text(kpi, "id"));
        names.items[i].name = mem_strdup(name[0] ? name : names.items[i].id);
    }
    *ret = names;
}

void kpi_names_finish(struct kpi_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].id);
        free(names->items[i].name);
    }
    free(names->items);
    *names = (struct kpi_names){ 0 };
}

const char *kpi_names_find(const struct kpi_names *names, const char *id)
{
    size_t place = kpi_names_place(names, id);

    return place < names->count ? names->items[place].name : id;
}

size_t kpi_names_place(const struct kpi_names *names, const char *id)
{
    size_t i = 0;

    while (i < names->count && strcmp(names->items[i].id, id) != 0)
        i++;
    return i;
}

bool locale_is_chinese(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    const char *value;

    for (size_t i = 0; i < LENGTH(variables); i++) {
        value = getenv(variables[i]);
        if (value && value[0] != '\0')
            return strncmp(value, "zh", 2) == 0;
    }
    return false;
}
