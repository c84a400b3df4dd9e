/* Which profile a device is judged by: the one for its very model, else the slot's own. */
#include "bench/bench_private.h"

#include <errno.h>
#include <string.h>

const struct conf_profile *profile_for(const struct conf *conf, const struct conf_slot *slot,
                                       const char *model, struct err *err)
{
    const struct conf_profile *own = &conf->profiles[slot->profile];

    for (size_t i = 0; model[0] && i < conf->profile_count; i++) {
        if (strcmp(conf->profiles[i].model, model) == 0)
            return &conf->profiles[i];
    }
    if (!own->model[0] || !model[0])
        return own;
    (void)err_set(err, -EINVAL, "no profile is for model \"%s\": that of slot %s is for \"%s\"",
                  model, slot->name, own->model);
    return NULL;
}
