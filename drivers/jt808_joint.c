/* Messages in parts (808-2013 4.4.3): the parts have consecutive serials and are numbered from 1.
 * They come over one connection in order, so that a part which does not continue the last one
 * begins anew or is passed over: its sender repeats a message that was not answered. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jt808_gateway.h"

enum { PARTS_MAX = 32, PARTS_BYTES_MAX = 32 * 1024 };

struct jt808_joint {
    uint16_t id, total, number; /* of the last part */
    uint16_t serial;
    size_t length;
    uint8_t bytes[];            /* PARTS_BYTES_MAX at most */
};

void jt808_joint_drop(struct jt808_link *link)
{
    free(link->joint);
    link->joint = NULL;
}

static bool continues(const struct jt808_joint *j, const struct jt808_message *part)
{
    return j && j->id == part->id && j->total == part->total && j->number + 1 == part->number &&
           (uint16_t)(j->serial + 1) == part->serial &&
           j->length + part->length <= PARTS_BYTES_MAX;
}

static void append(struct jt808_link *link, const struct jt808_message *part)
{
    struct jt808_joint *j = link->joint;

    j = mem_realloc(j, sizeof *j + j->length + part->length);
    memcpy(j->bytes + j->length, part->body, part->length);
    j->length += part->length;
    j->number = part->number;
    j->serial = part->serial;
    link->joint = j;
}

bool jt808_joint_add(struct jt808_link *link, const struct jt808_message *part,
                     struct jt808_message *ret)
{
    if (!continues(link->joint, part)) {
        jt808_joint_drop(link);
        if (part->number != 1 || part->total == 0 || part->total > PARTS_MAX)
            return false;
        link->joint = mem_zalloc(sizeof *link->joint);
        link->joint->id = part->id;
        link->joint->total = part->total;
    }
    append(link, part);
    if (part->number < part->total)
        return false;
    *ret = *part;
    ret->is_part = false;
    ret->body = link->joint->bytes;
    ret->length = link->joint->length;
    return true;
}
