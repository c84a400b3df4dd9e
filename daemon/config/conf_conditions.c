/* `conditions`: how long the fault of a device must last. */
#include "config/conf_private.h"

#include "base/span.h"

const struct option conf_conditions_options[] = {
    { .name = "faulted_after", .type = OPTION_SPAN,
      .offset = offsetof(struct conf_conditions, faulted_after_ms), .fallback = "10s",
      .max = SPAN_DAY, .help = "a fault that is seen for so long becomes device.faulted" },
    { .name = "recovered_after", .type = OPTION_SPAN,
      .offset = offsetof(struct conf_conditions, recovered_after_ms), .fallback = "10s",
      .max = SPAN_DAY, .help = "one that is seen to be absent for so long, device.recovered" },
    { .name = "gap", .type = OPTION_SPAN, .offset = offsetof(struct conf_conditions, gap_ms),
      .fallback = "1h", .min = SPAN_SECOND, .max = 30 * SPAN_DAY,
      .help = "two messages farther apart do not tell of one state" },
    { 0 },
};

void conf_read_conditions(struct conf_loader *loader, const struct option_tree *group)
{
    if (group && !conf_is_group(group, "conditions", loader->faults))
        group = NULL;
    conf_read_one(group, "conditions", conf_conditions_options, &loader->conf->conditions,
                  loader->faults);
    conf_write(&loader->canonical, "conditions", conf_conditions_options,
               &loader->conf->conditions);
}
