/* Was a vehicle found? See verdict.h. */
#include "lookup/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define EARTH_RADIUS_M 6371008.8
#define RADIANS (M_PI / 180)

int64_t lookup_distance_m(struct lookup_point a, struct lookup_point b)
{
    double dlat = (b.latitude - a.latitude) * RADIANS, dlon = (b.longitude - a.longitude) * RADIANS;
    double h = sin(dlat / 2) * sin(dlat / 2) + cos(a.latitude * RADIANS) *
                                                   cos(b.latitude * RADIANS) * sin(dlon / 2) *
                                                   sin(dlon / 2);

    return llround(2 * EARTH_RADIUS_M * asin(sqrt(h < 1 ? h : 1)));
}

/* The published approximation of GCJ-02: an offset, as a function of the true place, on the
 * ellipsoid of Krasovsky 1940. */
static struct lookup_point gcj02_offset(struct lookup_point p)
{
    const double a = 6378245.0, ee = 0.00669342162296594323;
    double x = p.longitude - 105, y = p.latitude - 35;
    double wave = 20 * sin(6 * x * M_PI) + 20 * sin(2 * x * M_PI);
    double lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x));
    double lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x));
    double s = sin(p.latitude * RADIANS), magic = 1 - ee * s * s;

    lat += (wave + 20 * sin(y * M_PI) + 40 * sin(y / 3 * M_PI) + 160 * sin(y / 12 * M_PI) +
            320 * sin(y * M_PI / 30)) * 2 / 3;
    lon += (wave + 20 * sin(x * M_PI) + 40 * sin(x / 3 * M_PI) + 150 * sin(x / 12 * M_PI) +
            300 * sin(x / 30 * M_PI)) * 2 / 3;
    return (struct lookup_point){
        .latitude = lat / (a * (1 - ee) / (magic * sqrt(magic)) * RADIANS),
        .longitude = lon / (a / sqrt(magic) * cos(p.latitude * RADIANS) * RADIANS),
    };
}

static bool is_in_china(struct lookup_point p)
{
    return p.latitude > 0.8293 && p.latitude < 55.8271 && p.longitude > 72.004 &&
           p.longitude < 137.8347;
}

/* The offset is known of the true place alone, which is what is sought: it changes so slowly that
 * three rounds leave less than a centimetre. */
struct lookup_point lookup_from_gcj02(struct lookup_point gcj)
{
    struct lookup_point p = gcj;

    if (!is_in_china(gcj))
        return gcj;
    for (int i = 0; i < 3; i++) {
        struct lookup_point offset = gcj02_offset(p);

        p = (struct lookup_point){ gcj.latitude - offset.latitude,
                                   gcj.longitude - offset.longitude };
    }
    return p;
}

static struct lookup_verdict failure(const char *reason)
{
    struct lookup_verdict v = { .distance_m = -1 };

    (void)snprintf(v.reason, sizeof v.reason, "%s", reason);
    return v;
}

/* law 8.lookup: online, a valid fix no older than max_age, and near the reference. */
static struct lookup_verdict judge_position(const struct lookup_position *p,
                                            const struct lookup_point *reference,
                                            const struct lookup_rules *rules, int64_t asked_at)
{
    struct lookup_verdict v = { .success = true, .distance_m = -1 };

    if (!p->online)
        return failure("offline");
    if (!p->fixed)
        return failure("no_fix");
    if (p->fixed_at == 0 || asked_at - p->fixed_at > rules->max_age_ms)
        return failure("stale");
    if (!reference)
        return v;
    v.distance_m = lookup_distance_m(p->at, *reference);
    if (v.distance_m > rules->max_distance_m) {
        v.success = false;
        (void)snprintf(v.reason, sizeof v.reason, "off_by_%" PRId64 "m", v.distance_m);
    }
    return v;
}

struct lookup_verdict lookup_judge(enum lookup_finding best,
                                   const struct lookup_position *position,
                                   const struct lookup_point *reference,
                                   const struct lookup_rules *rules, int64_t asked_at)
{
    switch (best) {
    case FINDING_UNKNOWN:
        return failure("unknown_vehicle");
    case FINDING_UNREACHABLE:
        return failure("platform_unreachable");
    case FINDING_OFFLINE:
        return failure("offline");
    case FINDING_NO_POSITION:
        return failure("no_fix");
    case FINDING_POSITION:
        break;
    }
    return judge_position(position, reference, rules, asked_at);
}
