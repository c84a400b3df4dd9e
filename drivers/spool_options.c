/* The option table of the spool driver, and what a table cannot say. */
#include "spool.h"

#include <string.h>

#include "event_map.h"

const char *const spool_encodings[] = { "utf-8", "gb18030", NULL };

#define AT(member) .offset = offsetof(struct spool_config, member)

const struct option spool_options[] = {
    { .name = "directory",
      .type = OPTION_PATH,
      AT(directory),
      .required = true,
      .help = "folder into which .ndjson and .csv files are dropped; work/, done/ and rejected/ "
              "are made inside it" },
    { .name = "settle",
      .type = OPTION_SPAN,
      AT(settle_ms),
      .fallback = "2s",
      .min = 50,
      .max = 600000,
      .help = "a file is taken once its size has not changed for this long" },
    { .name = "rescan",
      .type = OPTION_SPAN,
      AT(rescan_ms),
      .fallback = "30s",
      .min = 1000,
      .max = 3600000,
      .help = "look at the folder this often even if nothing was announced" },
    { .name = "encoding",
      .type = OPTION_CHOICE,
      AT(encoding),
      .choices = spool_encodings,
      .fallback = "utf-8",
      .help = "of .csv files; gb18030 also reads GBK and GB2312" },
    { .name = "delimiter",
      .type = OPTION_TEXT,
      AT(delimiter),
      .fallback = ",",
      .help = "between the columns of .csv files: \",\" \";\" \"|\" or \"tab\"" },
    { .name = "columns",
      .type = OPTION_TREE,
      AT(columns),
      .help = "list of { column; field; time; values; otherwise; }; without it the columns are "
              "called like the fields" },
    { .name = "constants",
      .type = OPTION_TREE,
      AT(constants),
      .help = "group of fields that are the same in every row, as in { type = "
              "\"repair.settled\"; }" },
    { .name = "events",
      .type = OPTION_TREE,
      AT(events),
      .help = "list of { type; at; when; columns; constants; id; }: several events from one row; "
              "one whose `at` is empty has not happened yet" },
    { .name = "when",
      .type = OPTION_TREE,
      AT(when),
      .help = "list of { column; is = [...]; }: rows that do not fit all of it are passed over" },
    { .name = "id",
      .type = OPTION_TEXT,
      AT(id),
      .help = "makes the event's id of columns, as in \"{No}-{Changed}\"; without it the id is a "
              "digest of the row's mapped fields" },
    { .name = "time",
      .type = OPTION_CHOICE,
      AT(time),
      .choices = item_time_choices,
      .fallback = "local",
      .help = "how times are written, unless a column says otherwise" },
    { .name = "timezone",
      .type = OPTION_TEXT,
      AT(timezone),
      .help = "IANA zone of local times; without it the daemon's own" },
    { .name = NULL },
};

char spool_delimiter(const char *text)
{
    if (strcmp(text, "tab") == 0)
        return '\t';
    return text[0] != '\0' && text[1] == '\0' && strchr(",;|\t", text[0]) != NULL ? text[0] : 0;
}

void spool_check(const void *config, const struct option_tree *section, struct faults *faults)
{
    const struct spool_config *c = config;
    const struct event_map_settings settings = {
        .from_key = "column",
        .list_key = "columns",
        .fields = c->columns,
        .constants = c->constants,
        .events = c->events,
        .when = c->when,
        .id = c->id,
        .time = (enum item_time)c->time,
        .timezone = c->timezone,
    };
    const struct option_tree *place = option_tree_place(section, "delimiter");

    if (c->delimiter != NULL && spool_delimiter(c->delimiter) == 0)
        fault_add_at(faults, place, "delimiter \"%s\": write \",\", \";\", \"|\" or \"tab\"",
                     c->delimiter);
    /* 0x7C is the second half of some GB18030 characters: a row would be cut inside them. */
    else if (c->encoding == ENCODING_GB18030 && c->delimiter != NULL && c->delimiter[0] == '|')
        fault_add_at(faults, place,
                     "delimiter \"|\" cannot be told from half a character in gb18030: use "
                     "\",\" or \"tab\", or convert the files to UTF-8");
    event_map_check(&settings, section, faults);
}
