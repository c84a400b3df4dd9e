/* `timezone`: an IANA name, or the one that was meant. */
#include "config/conf_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The zones of tzdata, a line each: countries, place, name, remarks; between tabs. */
#define ZONE_LIST "/usr/share/zoneinfo/zone1970.tab"

static char **zone_names(void)
{
    FILE *stream = fopen(ZONE_LIST, "re");
    char **names = mem_zalloc(sizeof *names);
    char line[512], name[64];
    size_t count = 0;

    while (stream && fgets(line, sizeof line, stream)) {
        if (line[0] == '#' || sscanf(line, "%*s %*s %63s", name) != 1)
            continue;
        names = mem_realloc_array(names, count + 2, sizeof *names);
        names[count++] = mem_strdup(name);
        names[count] = NULL;
    }
    if (stream)
        (void)fclose(stream);   /* it was only read */
    return names;
}

/* The zone that was meant; NULL if nothing is near. All China has one zone, and it is not called
 * after its capital, which people write first; by its letters it is nearest to Beirut. */
static const char *meant(const char *name, char **names)
{
    if (strcasestr(name, "beijing") || strcasestr(name, "peking"))
        return "Asia/Shanghai";
    return text_nearest(name, (const char *const *)names);
}

void conf_read_zone(struct conf_loader *loader, const char *name,
                    const struct option_tree *place)
{
    const char *nearest;
    struct err err;
    char **names;
    int rc = zone_load(&loader->conf->rules.zone, name, &err);

    if (rc == 0)
        return;
    names = zone_names();
    nearest = meant(name, names);
    if (rc != -ENOENT && rc != -EINVAL)
        fault_add_at(loader->faults, place, "timezone: %s", err.text);
    else if (!names[0])
        fault_add_at(loader->faults, place, "there is no time zone \"%s\": install tzdata", name);
    else
        fault_add_at(loader->faults, place, "there is no time zone \"%s\": %s \"%s\"%s", name,
                     nearest ? "did you mean" : "write an IANA name such as",
                     nearest ? nearest : "Asia/Shanghai", nearest ? "?" : "");
    for (size_t i = 0; names[i]; i++)
        free(names[i]);
    free(names);
}
