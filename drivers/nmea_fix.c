/* NMEA sentences folded into epochs; see nmea_fix.h. */
#include "nmea_fix.h"

#include <string.h>
#include <strings.h>

#include "base/instant.h"
#include "base/mem.h"
#include "base/span.h"

enum {
    SHARE_MIN = 20,         /* fewer checksums say nothing */
    SET_LIVES_MS = 15000,   /* some receivers tell of satellites every five seconds */
    BANNER_LASTS_MS = 5000, /* a greeting has many lines, and is one start */
    GSA_WAIT_MS = 10000,    /* whoever has sent no GSA for so long sends none */
};

void nmea_fix_init(struct nmea_fix *f, int64_t built_at)
{
    memset(f, 0, sizeof *f);
    f->built_at = built_at;
    nmea_fix_restart(f, false);
}

void nmea_fix_restart(struct nmea_fix *f, bool from_start)
{
    int64_t built_at = f->built_at;
    int32_t baud = f->gnss.baud;

    memset(f, 0, sizeof *f);
    f->built_at = built_at;
    f->day_of_zda = NMEA_NONE;
    gnss_init(&f->gnss, 0, from_start);
    f->gnss.baud = baud != 0 ? baud : GNSS_NONE;
}

/* --- Checksums */

void nmea_fix_count(struct nmea_fix *f, enum nmea_frame_kind kind)
{
    uint32_t at = f->sum_count % NMEA_SHARE_OF, of, good = 0;
    uint64_t bit = UINT64_C(1) << (at % 64);

    f->without_sum += kind == NMEA_NO_SUM;
    if (kind != NMEA_SENTENCE && kind != NMEA_WRONG_SUM)
        return;
    f->good += kind == NMEA_SENTENCE;
    f->wrong += kind == NMEA_WRONG_SUM;
    f->sums[at / 64] = kind == NMEA_SENTENCE ? f->sums[at / 64] | bit : f->sums[at / 64] & ~bit;
    f->sum_count++;
    of = f->sum_count < NMEA_SHARE_OF ? f->sum_count : NMEA_SHARE_OF;
    if (of < SHARE_MIN)
        return;
    for (size_t i = 0; i < LENGTH(f->sums); i++)
        good += (uint32_t)__builtin_popcountll(f->sums[i]);
    f->gnss.good_share_e4 = (int32_t)(good * 10000 / of);
}

void nmea_fix_forget_sums(struct nmea_fix *f)
{
    memset(f->sums, 0, sizeof f->sums);
    f->sum_count = 0;
    f->gnss.good_share_e4 = GNSS_NONE;
}

/* --- Satellites */

/* Newer receivers give each system its talker; older ones say GP, or GN, of all. */
static unsigned system_of(enum nmea_talker talker, int32_t id)
{
    static const struct {
        int32_t to; /* the last id */
        enum gnss_system system;
    } ranges[] = {
        { 64, GNSS_GPS },     { 96, GNSS_GLONASS },  { 192, GNSS_GPS },    { 202, GNSS_QZSS },
        { 300, GNSS_BEIDOU }, { 336, GNSS_GALILEO }, { 999, GNSS_BEIDOU },
    };
    static const uint8_t systems[NMEA_TALKERS] = {
        [NMEA_GL] = GNSS_GLONASS, [NMEA_GA] = GNSS_GALILEO, [NMEA_GB] = GNSS_BEIDOU,
        [NMEA_GQ] = GNSS_QZSS,    [NMEA_GI] = GNSS_NAVIC,
    };
    size_t i = 0;

    if (systems[talker] != GNSS_GPS)
        return systems[talker];
    while (i + 1 < LENGTH(ranges) && id > ranges[i].to)
        i++;
    return ranges[i].system;
}

static struct gnss_sky sky_of(struct nmea_fix *f, int64_t monotonic_at)
{
    struct gnss_sky_fold fold;

    memset(&fold, 0, sizeof fold);
    for (int32_t i = 0; i < f->set_count; i++) {
        const struct nmea_set *set = &f->sets[i];

        if (monotonic_at - set->monotonic_at > SET_LIVES_MS)
            continue;
        for (int32_t k = 0; k < set->count; k++)
            gnss_sky_add(&fold, system_of(set->talker, set->satellites[k].id),
                         set->satellites[k].id, set->satellites[k].cn0);
    }
    return gnss_sky_of(&fold);
}

/* The set that it takes the place of; else a new one, or the one that is longest out of date. */
static struct nmea_set *place_for(struct nmea_fix *f, const struct nmea_set *set)
{
    struct nmea_set *oldest = &f->sets[0];

    for (int32_t i = 0; i < f->set_count; i++) {
        if (f->sets[i].talker == set->talker && f->sets[i].signal == set->signal)
            return &f->sets[i];
        if (f->sets[i].monotonic_at < oldest->monotonic_at)
            oldest = &f->sets[i];
    }
    return f->set_count < NMEA_SETS_MAX ? &f->sets[f->set_count++] : oldest;
}

static void add_satellites(struct nmea_set *set, const struct nmea_gsv *gsv)
{
    for (int32_t i = 0; i < gsv->count && set->count < NMEA_SET_SIZE; i++, set->count++) {
        set->satellites[set->count].id = (int16_t)gsv->satellites[i].id;
        set->satellites[set->count].cn0 =
            (int8_t)(gsv->satellites[i].cn0 == NMEA_NONE ? -1 : gsv->satellites[i].cn0);
    }
}

/* Sentences 1..n of a set; one that skips a number is dropped with those before it. */
static void fold_gsv(struct nmea_fix *f, const struct nmea_sentence *s, int64_t monotonic_at)
{
    const struct nmea_gsv *gsv = &s->gsv;
    struct nmea_set *set = &f->coming;
    bool goes_on = set->total == gsv->total && set->number + 1 == gsv->number &&
                   set->talker == s->talker && set->signal == gsv->signal;

    if (!goes_on || gsv->number == 1) {
        f->lost_sets += set->total > 0;
        set->total = 0;
        if (gsv->number != 1)
            return;
        set->talker = s->talker;
        set->signal = gsv->signal;
        set->total = gsv->total;
        set->count = 0;
    }
    set->number = gsv->number;
    add_satellites(set, gsv);
    if (set->number < set->total)
        return;
    set->monotonic_at = monotonic_at;
    *place_for(f, set) = *set;
    set->total = 0;
    f->has_new_set = true;
}

/* --- The antenna */

static bool begins_with(const char *text, size_t length, const char *with)
{
    size_t n = strlen(with);

    return length >= n && strncasecmp(text, with, n) == 0;
}

/* Never by the kind of the message (u-blox says 02, CASIC 01), and never by "ANT" alone: greetings
 * hold that, too. ANTSUPERV= says which supervision is on, and no state. */
enum gnss_antenna nmea_antenna(const char *text, size_t length)
{
    static const char *const keys[] = { "ANTSTATUS=", "ANTENNA " };
    static const struct {
        const char *word;
        enum gnss_antenna antenna;
    } words[] = {
        { "OK", GNSS_ANTENNA_OK },
        { "OPEN", GNSS_ANTENNA_OPEN },
        { "SHORT", GNSS_ANTENNA_SHORT },
        { "INIT", GNSS_ANTENNA_INIT },
        { "DONTKNOW", GNSS_ANTENNA_UNKNOWN },
    };
    size_t key = 0;

    while (key < LENGTH(keys) && !begins_with(text, length, keys[key]))
        key++;
    if (key == LENGTH(keys))
        return GNSS_ANTENNA_UNSAID;
    text += strlen(keys[key]);
    length -= strlen(keys[key]);
    for (size_t i = 0; i < LENGTH(words); i++)
        if (begins_with(text, length, words[i].word))
            return words[i].antenna;
    return GNSS_ANTENNA_UNKNOWN;
}

/* Its first word since it started. */
static void hear(struct nmea_fix *f, int64_t monotonic_at)
{
    f->has_spoken = true;
    f->gnss.heard_at = f->gnss.fix_lost_at = f->gnss.time_moved_at = monotonic_at;
    f->dimension_at = monotonic_at;
}

/* Receivers greet when they are switched on. */
static bool is_greeting(const struct nmea_txt *txt)
{
    return begins_with(txt->text, txt->length, "u-blox ag") ||
           begins_with(txt->text, txt->length, "MA=CASIC");
}

static void fold_txt(struct nmea_fix *f, const struct nmea_txt *txt, int64_t monotonic_at)
{
    enum gnss_antenna antenna = nmea_antenna(txt->text, txt->length);

    if (is_greeting(txt) && monotonic_at - f->gnss.heard_at > BANNER_LASTS_MS) {
        nmea_fix_restart(f, true);
        hear(f, monotonic_at);
    }
    if (antenna != GNSS_ANTENNA_UNSAID)
        f->gnss.antenna = antenna;
}

/* --- Epochs */

/* The first that says it counts. */
static void note(int32_t *to, int32_t value)
{
    if (*to == GNSS_NONE)
        *to = value;
}

static void note_position(struct gnss_epoch *e, const struct nmea_position *p)
{
    if (e->lat_e9 == GNSS_NOWHERE) {
        e->lat_e9 = p->lat_e9;
        e->lon_e9 = p->lon_e9;
    }
}

static void fold_gga(struct nmea_fix *f, const struct nmea_gga *gga)
{
    struct gnss_epoch *e = &f->epoch;

    e->quality = gga->quality;
    e->used = gga->used;
    e->hdop_e2 = gga->hdop_e2 != NMEA_NONE ? gga->hdop_e2 : e->hdop_e2;
    note_position(e, &gga->position);
}

static void fold_rmc(struct nmea_fix *f, const struct nmea_rmc *rmc)
{
    struct gnss_epoch *e = &f->epoch;
    int32_t year = rmc->year_of_century;

    e->valid = rmc->status == 'A';
    e->unmeasured = e->unmeasured || !nmea_mode_passes(rmc->mode);
    note_position(e, &rmc->position);
    if (year == NMEA_NONE || rmc->time_ms == NMEA_NONE)
        return;
    e->utc_at = civil_day(year + (year >= 80 ? 1900 : 2000), rmc->month, rmc->day) * SPAN_DAY +
                rmc->time_ms;
}

/* GNS says for each system what GGA says for all. */
static void fold_gns(struct nmea_fix *f, const struct nmea_gns *gns)
{
    static const struct {
        char mode;
        int32_t quality;
    } best_first[] = { { 'R', 4 }, { 'F', 5 }, { 'P', 3 }, { 'D', 2 }, { 'A', 1 },
                       { 'E', 6 }, { 'M', 7 }, { 'S', 8 }, { 'N', 0 } };
    size_t i = 0;

    while (i < LENGTH(best_first) && !strchr(gns->modes, best_first[i].mode))
        i++;
    if (i < LENGTH(best_first))
        note(&f->epoch.quality, best_first[i].quality);
    note(&f->epoch.used, gns->used);
    note(&f->epoch.hdop_e2, gns->hdop_e2);
    note_position(&f->epoch, &gns->position);
}

static void fold_gll(struct nmea_fix *f, const struct nmea_gll *gll)
{
    if (gll->status)
        note(&f->epoch.valid, gll->status == 'A');
    f->epoch.unmeasured = f->epoch.unmeasured || !nmea_mode_passes(gll->mode);
    note_position(&f->epoch, &gll->position);
}

/* One comes for each system, and each says the same of the fix. */
static void fold_gsa(struct nmea_fix *f, const struct nmea_gsa *gsa)
{
    if (gsa->fix != NMEA_NONE && gsa->fix > f->epoch.fix)
        f->epoch.fix = gsa->fix;
    note(&f->epoch.hdop_e2, gsa->hdop_e2);
}

static void fold_zda(struct nmea_fix *f, const struct nmea_zda *zda)
{
    if (zda->day > 0 && zda->month > 0 && zda->year >= 1980)
        f->day_of_zda = civil_day(zda->year, zda->month, zda->day);
}

/* The date counts with a fix alone, and where there are two, if they are the same. */
static void settle_date(struct nmea_fix *f)
{
    struct gnss_epoch *e = &f->epoch;
    bool has_zda = f->day_of_zda != NMEA_NONE && e->time_ms != NMEA_NONE;

    if (!gnss_has_fix(e))
        e->utc_at = GNSS_NEVER;
    else if (e->utc_at == GNSS_NEVER && has_zda)
        e->utc_at = f->day_of_zda * SPAN_DAY + e->time_ms;
    else if (has_zda && e->utc_at != f->day_of_zda * SPAN_DAY + e->time_ms)
        e->utc_at = GNSS_NEVER;
    if (e->utc_at != GNSS_NEVER)
        e->rollover = gnss_unroll(&e->utc_at, f->built_at);
}

/* Without GSA the quality and the status say whether there is a fix, and nothing says whether its
 * altitude was measured: a receiver repeats its last one in GGA. */
static void settle_fix(struct nmea_fix *f)
{
    struct gnss_epoch *e = &f->epoch;

    if (e->fix != GNSS_NONE)
        f->dimension_at = e->monotonic_at;
    else if (e->monotonic_at - f->dimension_at >= GSA_WAIT_MS &&
             (e->quality != GNSS_NONE || e->valid != GNSS_NONE))
        e->fix = gnss_has_fix(e) ? GNSS_FIX_SOME : GNSS_FIX_NONE;
}

static bool end_epoch(struct nmea_fix *f)
{
    if (!f->is_open)
        return false;
    settle_date(f);
    settle_fix(f);
    if (f->has_new_set) {
        f->epoch.has_sky = true;
        f->epoch.sky = sky_of(f, f->epoch.monotonic_at);
    }
    gnss_take(&f->gnss, &f->epoch);
    f->is_open = false;
    f->usual = f->heard;
    f->has_new_set = false;
    f->day_of_zda = NMEA_NONE;
    return true;
}

bool nmea_fix_pause(struct nmea_fix *f)
{
    const unsigned needed = 1U << NMEA_GGA | 1U << NMEA_RMC | 1U << NMEA_GNS | 1U << NMEA_GSA;

    return f->gnss.last.at > 0 && (f->usual & needed & ~f->heard) == 0 && end_epoch(f);
}

/* NMEA_NONE: it bears none, or an empty one. */
static int32_t time_of(const struct nmea_sentence *s)
{
    switch (s->type) {
    case NMEA_GGA:
        return s->gga.time_ms;
    case NMEA_RMC:
        return s->rmc.time_ms;
    case NMEA_GNS:
        return s->gns.time_ms;
    case NMEA_GLL:
        return s->gll.time_ms;
    default:
        return NMEA_NONE;
    }
}

static bool bears_time(enum nmea_type type)
{
    return type == NMEA_GGA || type == NMEA_RMC || type == NMEA_GNS || type == NMEA_GLL;
}

/* False: it belongs to the epoch that is under way. */
static bool begins_epoch(const struct nmea_fix *f, const struct nmea_sentence *s, int32_t time_ms)
{
    if (!f->is_open)
        return true;
    if (!bears_time(s->type))
        return false;
    if (f->heard & (1U << s->type))
        return true;
    return time_ms != NMEA_NONE && f->epoch.time_ms != NMEA_NONE && time_ms != f->epoch.time_ms;
}

static void fold_into(struct nmea_fix *f, const struct nmea_sentence *s, int64_t monotonic_at)
{
    switch (s->type) {
    case NMEA_GGA:
        fold_gga(f, &s->gga);
        break;
    case NMEA_RMC:
        fold_rmc(f, &s->rmc);
        break;
    case NMEA_GNS:
        fold_gns(f, &s->gns);
        break;
    case NMEA_GLL:
        fold_gll(f, &s->gll);
        break;
    case NMEA_GSA:
        fold_gsa(f, &s->gsa);
        break;
    case NMEA_GSV:
        fold_gsv(f, s, monotonic_at);
        break;
    case NMEA_ZDA:
        fold_zda(f, &s->zda);
        break;
    case NMEA_TXT:
        fold_txt(f, &s->txt, monotonic_at);
        break;
    default:
        break;
    }
}

bool nmea_fix_fold(struct nmea_fix *f, const struct nmea_sentence *s, int64_t at,
                   int64_t monotonic_at)
{
    int32_t time_ms = time_of(s);
    bool begins = begins_epoch(f, s, time_ms), ended = false;

    if (!f->has_spoken)
        hear(f, monotonic_at);
    if (begins) {
        ended = end_epoch(f);
        gnss_epoch_init(&f->epoch, at, monotonic_at);
        f->is_open = true;
        f->heard = 0;
    }
    if (time_ms != NMEA_NONE) {
        if (f->epoch.time_ms == NMEA_NONE) {
            /* Satellites may have come before it, some time before. */
            f->epoch.at = at;
            f->epoch.monotonic_at = monotonic_at;
        }
        f->epoch.time_ms = time_ms;
    }
    f->heard |= 1U << s->type;
    fold_into(f, s, monotonic_at);
    return ended && f->gnss.last.at > 0; /* a greeting forgets what was before it */
}
