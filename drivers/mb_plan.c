/* Which requests read a map; see mb_plan.h. */
#include "mb_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct making {
    struct mb_plan *plan;
    const struct mb_map *map;
    const bool *unsupported;
    const struct mb_plan_rules *rules;
};

static const struct mb_point *point_at(const struct making *m, size_t i)
{
    return &m->map->points[m->plan->order[i]];
}

static uint32_t end_of(const struct mb_point *p)
{
    return p->address + mb_point_width(p);
}

/* By function and address; of those at one address the widest first. */
static bool stands_before(const struct mb_point *a, const struct mb_point *b)
{
    if (a->function != b->function)
        return a->function < b->function;
    if (a->address != b->address)
        return a->address < b->address;
    return mb_point_width(a) > mb_point_width(b);
}

/* Insertion: a map has few points, and most stand in order already. Their number is returned. */
static size_t sort_points(struct making *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->map->point_count; i++) {
        const struct mb_point *p = &m->map->points[i];
        size_t at = count;

        if (p->poll != (int)m->rules->poll || (m->unsupported && m->unsupported[i]))
            continue;
        for (; at > 0 && stands_before(p, point_at(m, at - 1)); at--)
            m->plan->order[at] = m->plan->order[at - 1];
        m->plan->order[at] = (uint16_t)i;
        count++;
    }
    return count;
}

/* Does a point that the unit has not lie in [from, to)? */
static bool holds_unsupported(const struct making *m, uint32_t function, uint32_t from, uint32_t to)
{
    for (size_t i = 0; m->unsupported && i < m->map->point_count; i++) {
        const struct mb_point *p = &m->map->points[i];

        if (m->unsupported[i] && p->function == function && p->address < to && end_of(p) > from)
            return true;
    }
    return false;
}

static bool fits_into(const struct making *m, const struct mb_read *read, const struct mb_point *p)
{
    uint32_t end = read->address + read->count;
    uint32_t most = m->rules->registers_max, hole = p->address > end ? p->address - end : 0;

    if (p->function != read->function)
        return false;
    if (p->address >= read->address && end_of(p) <= end)
        return true;
    if (!mb_reads_registers(p->function))
        most = most * 16 < MB_BITS_MAX ? most * 16 : MB_BITS_MAX;
    if (m->rules->care == MB_SINGLE && p->address >= end)
        return false;
    if (m->rules->care == MB_ADJACENT && hole > 0)
        return false;
    return hole <= m->rules->gap && end_of(p) - read->address <= most &&
           !holds_unsupported(m, p->function, end, p->address);
}

static void add_point(struct making *m, size_t i)
{
    const struct mb_point *p = point_at(m, i);
    struct mb_read *last = m->plan->count ? &m->plan->reads[m->plan->count - 1] : NULL;

    if (!last || !fits_into(m, last, p)) {
        last = &m->plan->reads[m->plan->count++];
        *last = (struct mb_read){ .function = p->function,
                                  .address = p->address,
                                  .first = (uint16_t)i };
    }
    if (end_of(p) > last->address + last->count)
        last->count = end_of(p) - last->address;
    last->points++;
}

void mb_plan_make(struct mb_plan *plan, const struct mb_map *map, const bool *unsupported,
                  const struct mb_plan_rules *rules)
{
    struct making m = { plan, map, unsupported, rules };
    size_t count;

    *plan = (struct mb_plan){ 0 };
    plan->order = mem_alloc((map->point_count + 1) * sizeof *plan->order);
    plan->reads = mem_alloc((map->point_count + 1) * sizeof *plan->reads);
    count = sort_points(&m);
    for (size_t i = 0; i < count; i++)
        add_point(&m, i);
}

void mb_plan_finish(struct mb_plan *plan)
{
    free(plan->reads);
    free(plan->order);
    *plan = (struct mb_plan){ 0 };
}
