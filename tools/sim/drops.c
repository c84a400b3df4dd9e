/* People and programs who drop files; see drops.h. */
#include "drops.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/text.h"

static const char header[] = "工单号,类型,设备号,站点,安装人,派单时间,完成时间,结果\r\n";

static const char *local(char to[INSTANT_SIZE], const struct zone *zone, int64_t at)
{
    instant_format(to, at, zone_offset(zone, at));
    to[10] = ' ';
    to[19] = '\0';
    return to;
}

static void add_row(struct text_buffer *csv, const struct zone *zone, const struct work_order *o,
                    bool is_bad)
{
    char opened[INSTANT_SIZE], settled[INSTANT_SIZE];

    text_buffer_addf(csv, "%s,%s,%s,%s,\"%s\",%s,%s,%s\r\n", o->ticket, o->kind, o->device, o->site,
                     o->staff, local(opened, zone, o->opened_at),
                     is_bad ? "昨天下午" : local(settled, zone, o->settled_at), o->result);
}

/* The workshop's own program speaks our language: inspections as events. */
static void add_event(struct text_buffer *ndjson, const struct work_order *o)
{
    char id[64], at[INSTANT_SIZE];

    text_buffer_adds(ndjson, "{");
    json_out_text(ndjson, "source", "workshop");
    snprintf(id, sizeof id, "%s-%" PRId64, o->ticket, o->settled_at);
    json_out_text(ndjson, "id", id);
    json_out_text(ndjson, "type", "inspection.settled");
    json_out_text(ndjson, "at", instant_format(at, o->settled_at, 0));
    json_out_text(ndjson, "ticket", o->ticket);
    json_out_text(ndjson, "device", o->device);
    json_out_text(ndjson, "staff", o->staff);
    json_out_text(ndjson, "outcome",
                  strcmp(o->result, "合格") == 0   ? "success"
                  : strcmp(o->result, "取消") == 0 ? "excluded"
                                                   : "failure");
    text_buffer_adds(ndjson, "}\n");
}

static int write_file(const char *folder, const char *name, const struct text_buffer *text)
{
    char *part = mem_printf("%s/.%s.part", folder, name);
    char *whole = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(part, "we");
    bool well = file && fwrite(text->bytes, 1, text->length, file) == text->length;
    int code = -errno;

    if (file && fclose(file) != 0)
        well = false;
    if (well && rename(part, whole) != 0) {
        well = false;
        code = -errno;
    }
    free(part);
    free(whole);
    return well ? 0 : code;
}

int drop_files(struct world *world, const char *folder, const struct zone *zone, unsigned bad_every)
{
    static unsigned files, rows;
    struct text_buffer csv = { 0 }, ndjson = { 0 };
    const struct work_order *order;
    char name[64];
    int rc = 0;

    text_buffer_adds(&csv, header);
    while ((order = world_next_work_order(world))) {
        rows++;
        if (strcmp(order->kind, "返厂检测") == 0)
            add_event(&ndjson, order);
        else
            add_row(&csv, zone, order, bad_every > 0 && rows % bad_every == 0);
    }
    files++;
    if (csv.length >= sizeof header) {
        snprintf(name, sizeof name, "workorders-%05u.csv", files);
        rc = write_file(folder, name, &csv);
    }
    if (rc == 0 && ndjson.length > 0) {
        snprintf(name, sizeof name, "workshop-%05u.ndjson", files);
        rc = write_file(folder, name, &ndjson);
    }
    text_buffer_finish(&csv);
    text_buffer_finish(&ndjson);
    return rc;
}
