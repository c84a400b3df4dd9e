/* The option table of the roof-light driver, and what a table cannot say. */
#include "roof_light.h"

#define AT(member) .offset = offsetof(struct roof_light_config, member)

const struct option roof_light_options[] = {
    { .name = "device",
      .type = OPTION_PATH,
      AT(device),
      .required = true,
      .help = "the serial line; a link in /dev/serial/by-id stays the same wherever the adapter "
              "is plugged in" },
    { .name = "baud",
      .type = OPTION_UINT,
      AT(baud),
      .fallback = "9600",
      .min = SERIAL_BAUD_MIN,
      .max = SERIAL_BAUD_MAX,
      .help = "8N1; the lamp's own setting" },
    { .name = "interval",
      .type = OPTION_SPAN,
      AT(interval_ms),
      .fallback = "2s",
      .min = 100,
      .max = 60000,
      .help = "from one question for its state to the next" },
    { .name = "timeout",
      .type = OPTION_SPAN,
      AT(timeout_ms),
      .fallback = "500ms",
      .min = 50,
      .max = 10000,
      .help = "for one answer" },
    { .name = "maker",
      .type = OPTION_UINT,
      AT(maker),
      .fallback = "0",
      .max = 255,
      .help = "the maker's byte in what is asked; 0 asks any" },
    { .name = "ok_results",
      .type = OPTION_TREE,
      AT(ok_results),
      .help = "result bytes that mean success, as in [ 0x00, 0x90 ], which holds without it: the "
              "standard names none" },
    { .name = "service_device",
      .type = OPTION_TEXT,
      AT(service_device),
      .min = 1,
      .max = 64,
      .help = "the device in service that it is: its faults (led_fault_NN, no_answer) then count; "
              "without it the lamp stands on the bench" },
    { .name = NULL },
};

void roof_light_ok_results(const struct option_tree *list, bool ret_ok[256])
{
    for (int i = 0; i < 256; i++)
        ret_ok[i] = !list && (i == 0x00 || i == 0x90);
    for (size_t i = 0; list && i < list->child_count; i++)
        ret_ok[(uint8_t)list->children[i]->integer] = true;
}

void roof_light_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct roof_light_config *c = config;
    const struct option_tree *list = c->ok_results;

    serial_check_baud(c->baud, section, faults);
    if (!list)
        return;
    if (list->type != TREE_LIST || list->child_count == 0)
        fault_add_at(faults, list, "ok_results is a list of bytes: write [ 0x00, 0x90 ]");
    for (size_t i = 0; i < list->child_count; i++) {
        const struct option_tree *item = list->children[i];

        if (item->type != TREE_INTEGER || item->integer < 0 || item->integer > 255)
            fault_add_at(faults, item, "ok_results holds bytes, 0x00 to 0xff");
    }
}
