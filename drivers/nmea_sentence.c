/* NMEA 0183 sentences, types by NMEA 0183 4.11; see nmea_sentence.h.
 *
 * A sentence is split at its commas without a branch, so that its length costs and not its fields;
 * then a function for each type takes the fields that it needs. The first fault is kept and the
 * rest is read as if it were well: one check at the end, and none in between. */
#include "nmea_sentence.h"

#include <string.h>

enum { LONGEST = 255, NANO = 1000000000 };

/* A sentence, split. */
struct fields {
    const char *text;
    unsigned count;          /* with the address */
    uint8_t at[LONGEST + 2]; /* where each begins; one more, behind the last */
    const char *fault;       /* the first */
    unsigned fault_field;
};

struct field {
    const char *text;
    unsigned length;
};

static void split(struct fields *f, const char *text, size_t length)
{
    unsigned n = 1;

    f->text = text;
    f->fault = NULL;
    f->fault_field = 0;
    f->at[0] = 0;
    for (size_t i = 0; i < length; i++) {
        f->at[n] = (uint8_t)(i + 1);
        n += text[i] == ',';
    }
    f->at[n] = (uint8_t)(length + 1);
    f->count = n;
}

/* Empty where there is none. */
static struct field field_at(const struct fields *f, unsigned i)
{
    if (i >= f->count)
        return (struct field){ "", 0 };
    return (struct field){ f->text + f->at[i], (unsigned)(f->at[i + 1] - f->at[i]) - 1 };
}

static void fail(struct fields *f, unsigned i, const char *why)
{
    if (!f->fault) {
        f->fault = why;
        f->fault_field = i;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- One field */

/* A whole number from `min` to `max`. */
static int32_t take_whole(struct fields *f, unsigned i, int32_t min, int32_t max)
{
    struct field text = field_at(f, i);
    bool minus = text.length > 1 && text.text[0] == '-';
    int32_t value = 0;

    if (text.length == 0)
        return NMEA_NONE;
    for (unsigned k = minus; k < text.length; k++) {
        if (!is_digit(text.text[k]) || k >= 9) {
            fail(f, i, "not a whole number");
            return NMEA_NONE;
        }
        value = value * 10 + (text.text[k] - '0');
    }
    value = minus ? -value : value;
    if (value < min || value > max)
        fail(f, i, "out of range");
    return value;
}

/* Digits before and behind the point, as one whole number of `decimals`; further ones are cut. */
struct decimal {
    int64_t scaled;
    bool minus;
    bool is_good; /* at least one digit, at most 9 before the point, nothing else */
};

static struct decimal read_decimal(struct field text, unsigned decimals)
{
    struct decimal d = { .minus = text.length > 0 && text.text[0] == '-' };
    unsigned i = d.minus, digits, behind = 0;

    for (; i < text.length && is_digit(text.text[i]) && i < 9U + d.minus; i++)
        d.scaled = d.scaled * 10 + (text.text[i] - '0');
    digits = i - d.minus;
    if (i < text.length && text.text[i] == '.') {
        for (i++; i < text.length && is_digit(text.text[i]); i++, digits++)
            if (behind < decimals) {
                d.scaled = d.scaled * 10 + (text.text[i] - '0');
                behind++;
            }
    }
    for (; behind < decimals; behind++)
        d.scaled *= 10;
    d.is_good = i == text.length && digits > 0;
    return d;
}

/* A decimal, times ten to the power of `decimals`; from `min` to `max`, so scaled. */
static int32_t take_decimal(struct fields *f, unsigned i, unsigned decimals, int32_t min,
                            int32_t max)
{
    struct field text = field_at(f, i);
    struct decimal d;

    if (text.length == 0)
        return NMEA_NONE;
    d = read_decimal(text, decimals);
    if (d.minus)
        d.scaled = -d.scaled;
    if (!d.is_good)
        fail(f, i, "not a number");
    else if (d.scaled < min || d.scaled > max)
        fail(f, i, "out of range");
    return (int32_t)d.scaled;
}

/* One of the letters of `allowed`; 0 if empty. */
static char take_letter(struct fields *f, unsigned i, const char *allowed)
{
    struct field text = field_at(f, i);

    if (text.length == 0)
        return 0;
    if (text.length > 1 || text.text[0] == '\0' || !strchr(allowed, text.text[0]))
        fail(f, i, "not a letter that may stand here");
    return text.text[0];
}

/* Systems and signals are one hexadecimal digit. */
static int32_t take_hex(struct fields *f, unsigned i)
{
    static const char digits[] = "0123456789ABCDEF";
    char letter = take_letter(f, i, digits);
    const char *found = letter ? strchr(digits, letter) : NULL;

    return found ? (int32_t)(found - digits) : NMEA_NONE;
}

/* hhmmss, with or without decimals; milliseconds of the day. 60 is a leap second. */
static int32_t take_time(struct fields *f, unsigned i)
{
    struct field text = field_at(f, i);
    struct decimal d;
    int32_t hours, minutes, ms;

    if (text.length == 0)
        return NMEA_NONE;
    d = read_decimal(text, 3);
    if (!d.is_good || d.minus || text.length < 6 || (text.length > 6 && text.text[6] != '.')) {
        fail(f, i, "not a time");
        return NMEA_NONE;
    }
    ms = (int32_t)(d.scaled % 100000);
    minutes = (int32_t)(d.scaled / 100000 % 100);
    hours = (int32_t)(d.scaled / 10000000);
    if (hours > 23 || minutes > 59 || ms >= 61000)
        fail(f, i, "no time of a day");
    return (hours * 60 + minutes) * 60000 + ms;
}

/* ddmm.mmmm and its letter, in 1e-9 degrees: two digits before the point are minutes. */
static int64_t take_angle(struct fields *f, unsigned i, const char letters[3], int64_t limit)
{
    struct field text = field_at(f, i);
    char side = take_letter(f, i + 1, letters);
    struct decimal d;
    int64_t minutes_e9, angle;

    if (text.length == 0)
        return NMEA_NOWHERE;
    d = read_decimal(text, 9);
    if (!d.is_good || d.minus) {
        fail(f, i, "not an angle");
        return NMEA_NOWHERE;
    }
    if (side == 0)
        fail(f, i + 1, "an angle without its side");
    minutes_e9 = d.scaled % (INT64_C(100) * NANO);
    angle = d.scaled / (INT64_C(100) * NANO) * NANO + (minutes_e9 + 30) / 60;
    if (minutes_e9 >= INT64_C(60) * NANO || angle > limit * NANO)
        fail(f, i, "no place on earth");
    return side == letters[1] ? -angle : angle;
}

static struct nmea_position take_position(struct fields *f, unsigned i)
{
    struct nmea_position p = { take_angle(f, i, "NS", 90), take_angle(f, i + 2, "EW", 180) };

    if ((p.lat_e9 == NMEA_NOWHERE) != (p.lon_e9 == NMEA_NOWHERE))
        fail(f, i, "half a position");
    return p;
}

static int32_t take_dop(struct fields *f, unsigned i)
{
    return take_decimal(f, i, 2, 0, 99999);
}

static void need_fields(struct fields *f, unsigned count)
{
    if (f->count < count)
        fail(f, f->count, "missing");
}

static const char modes[] = "ADEFMNPRS";

/* Before its first fix a receiver may say anything: the last place that it was at, 8960.0000, or a
 * date of its own. It says itself that this means nothing, so it is not looked at. */
static const struct nmea_position nowhere = { NMEA_NOWHERE, NMEA_NOWHERE };

/* --- One type each. In order of their fields; NMEA 0183 4.11 */

static void decode_gga(struct fields *f, struct nmea_sentence *s)
{
    need_fields(f, 9);
    s->gga.time_ms = take_time(f, 1);
    s->gga.quality = take_whole(f, 6, 0, 9);
    s->gga.position = s->gga.quality > 0 ? take_position(f, 2) : nowhere;
    s->gga.used = take_whole(f, 7, 0, 99);
    s->gga.hdop_e2 = take_dop(f, 8);
    s->gga.altitude_mm = take_decimal(f, 9, 3, -100000000, 100000000);
}

/* ddmmyy; all NMEA_NONE if it is empty, which happens even with status A. */
static void take_date(struct fields *f, unsigned i, struct nmea_rmc *rmc)
{
    int32_t date = take_whole(f, i, 0, 311299);

    if (date == NMEA_NONE)
        return;
    rmc->day = date / 10000;
    rmc->month = date / 100 % 100;
    rmc->year_of_century = date % 100;
    if (rmc->day < 1 || rmc->day > 31 || rmc->month < 1 || rmc->month > 12)
        fail(f, i, "no date");
}

static void decode_rmc(struct fields *f, struct nmea_sentence *s)
{
    struct nmea_rmc *rmc = &s->rmc;

    need_fields(f, 10);
    rmc->time_ms = take_time(f, 1);
    rmc->status = take_letter(f, 2, "AV");
    rmc->mode = take_letter(f, 12, modes);
    rmc->position = nowhere;
    rmc->speed_e3 = rmc->course_e2 = NMEA_NONE;
    rmc->day = rmc->month = rmc->year_of_century = NMEA_NONE;
    if (rmc->status != 'A')
        return;
    rmc->position = take_position(f, 3);
    rmc->speed_e3 = take_decimal(f, 7, 3, 0, 99999999);
    rmc->course_e2 = take_decimal(f, 8, 2, -36000, 36000);
    take_date(f, 9, rmc);
}

static void decode_gsa(struct fields *f, struct nmea_sentence *s)
{
    struct nmea_gsa *gsa = &s->gsa;

    need_fields(f, 18);
    gsa->choice = take_letter(f, 1, "AM");
    gsa->fix = take_whole(f, 2, 1, 3);
    gsa->id_count = 0;
    for (unsigned i = 0; i < NMEA_USED_MAX; i++) {
        int32_t id = take_whole(f, 3 + i, 0, 999);

        if (id > 0)
            gsa->ids[gsa->id_count++] = id;
    }
    gsa->pdop_e2 = take_dop(f, 15);
    gsa->hdop_e2 = take_dop(f, 16);
    gsa->vdop_e2 = take_dop(f, 17);
    /* One receiver puts a fourth dilution there, with a point. */
    gsa->system = field_at(f, 18).length == 1 ? take_hex(f, 18) : NMEA_NONE;
}

/* Groups of four; one field more is the signal. Empty groups fill up the last sentence. */
static void decode_gsv(struct fields *f, struct nmea_sentence *s)
{
    struct nmea_gsv *gsv = &s->gsv;
    unsigned groups = f->count < 4 ? 0 : (f->count - 4) / 4;
    unsigned rest = f->count < 4 ? 0 : (f->count - 4) % 4;

    need_fields(f, 4);
    if (groups > NMEA_IN_VIEW_MAX || rest > 1) {
        fail(f, f->count - 1, "no group of four");
        groups = 0;
    }
    gsv->total = take_whole(f, 1, 1, 99);
    gsv->number = take_whole(f, 2, 1, gsv->total);
    gsv->in_view = take_whole(f, 3, 0, 99);
    if (gsv->total == NMEA_NONE || gsv->number == NMEA_NONE)
        fail(f, 1, "a set needs numbers");
    gsv->count = 0;
    for (unsigned i = 4; i < 4 + groups * 4; i += 4) {
        struct nmea_satellite *sat = &gsv->satellites[gsv->count];

        sat->id = take_whole(f, i, 0, 999);
        sat->elevation = take_whole(f, i + 1, -90, 90);
        sat->azimuth = take_whole(f, i + 2, 0, 360);
        sat->cn0 = take_whole(f, i + 3, 0, 99);
        gsv->count += sat->id > 0;
    }
    gsv->signal = rest == 1 ? take_hex(f, f->count - 1) : NMEA_NONE;
}

static void decode_gll(struct fields *f, struct nmea_sentence *s)
{
    need_fields(f, 5);
    s->gll.time_ms = take_time(f, 5);
    s->gll.status = take_letter(f, 6, "AV");
    s->gll.position = s->gll.status == 'V' ? nowhere : take_position(f, 1);
    s->gll.mode = take_letter(f, 7, modes);
}

static void decode_gns(struct fields *f, struct nmea_sentence *s)
{
    struct field letters = field_at(f, 6);

    need_fields(f, 9);
    s->gns.time_ms = take_time(f, 1);
    s->gns.position = take_position(f, 2);
    if (letters.length > NMEA_SYSTEMS_MAX) {
        fail(f, 6, "too many systems");
        letters.length = 0;
    }
    for (unsigned i = 0; i < letters.length; i++)
        if (letters.text[i] == '\0' || !strchr(modes, letters.text[i]))
            fail(f, 6, "not a letter that may stand here");
    memcpy(s->gns.modes, letters.text, letters.length);
    s->gns.modes[letters.length] = '\0';
    s->gns.used = take_whole(f, 7, 0, 99);
    s->gns.hdop_e2 = take_dop(f, 8);
}

static void decode_gst(struct fields *f, struct nmea_sentence *s)
{
    const int32_t most = 2000000000;

    need_fields(f, 9);
    s->gst.time_ms = take_time(f, 1);
    s->gst.rms_mm = take_decimal(f, 2, 3, 0, most);
    s->gst.lat_mm = take_decimal(f, 6, 3, 0, most);
    s->gst.lon_mm = take_decimal(f, 7, 3, 0, most);
    s->gst.altitude_mm = take_decimal(f, 8, 3, 0, most);
}

static void decode_vtg(struct fields *f, struct nmea_sentence *s)
{
    need_fields(f, 9);
    s->vtg.course_e2 = take_decimal(f, 1, 2, -36000, 36000);
    s->vtg.knots_e3 = take_decimal(f, 5, 3, 0, 99999999);
    s->vtg.kmh_e3 = take_decimal(f, 7, 3, 0, 199999999);
    s->vtg.mode = take_letter(f, 9, modes);
}

static void decode_zda(struct fields *f, struct nmea_sentence *s)
{
    need_fields(f, 5);
    s->zda.time_ms = take_time(f, 1);
    s->zda.day = take_whole(f, 2, 0, 31);
    s->zda.month = take_whole(f, 3, 0, 12);
    s->zda.year = take_whole(f, 4, 0, 9999);
}

static void decode_txt(struct fields *f, struct nmea_sentence *s)
{
    need_fields(f, 5);
    s->txt.total = take_whole(f, 1, 0, 99);
    s->txt.number = take_whole(f, 2, 0, 99);
    s->txt.kind = take_whole(f, 3, 0, 99);
    s->txt.text = field_at(f, 4).text;
    s->txt.length = 0;
    if (f->count >= 5)
        s->txt.length = (size_t)(f->at[f->count] - f->at[4]) - 1;
}

/* --- Addresses */

/* In order of how often they come. */
static const struct {
    char name[4];
    enum nmea_type type;
    void (*decode)(struct fields *f, struct nmea_sentence *s);
} types[] = {
    { "GSV", NMEA_GSV, decode_gsv }, { "GSA", NMEA_GSA, decode_gsa },
    { "RMC", NMEA_RMC, decode_rmc }, { "GGA", NMEA_GGA, decode_gga },
    { "VTG", NMEA_VTG, decode_vtg }, { "GLL", NMEA_GLL, decode_gll },
    { "ZDA", NMEA_ZDA, decode_zda }, { "TXT", NMEA_TXT, decode_txt },
    { "GST", NMEA_GST, decode_gst }, { "GNS", NMEA_GNS, decode_gns },
};

static const struct {
    char name[3];
    enum nmea_talker talker;
} talkers[] = {
    { "GP", NMEA_GP }, { "GN", NMEA_GN }, { "GL", NMEA_GL }, { "GA", NMEA_GA }, { "GB", NMEA_GB },
    { "BD", NMEA_GB }, { "GQ", NMEA_GQ }, { "QZ", NMEA_GQ }, { "GI", NMEA_GI }, { "PQ", NMEA_GB },
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };
enum { TALKER_COUNT = sizeof talkers / sizeof talkers[0] };

static enum nmea_talker talker_of(const char *address)
{
    for (size_t i = 0; i < TALKER_COUNT; i++)
        if (memcmp(address, talkers[i].name, 2) == 0)
            return talkers[i].talker;
    return NMEA_TALKER_OTHER;
}

/* A proprietary address begins with P and has no talker, but for PQGSV and PQGSA. */
static bool is_proprietary(const char *address)
{
    return address[0] == 'P' && memcmp(address, "PQGS", 4) != 0;
}

bool nmea_decode(const char *text, size_t length, struct nmea_sentence *ret)
{
    struct fields f;

    ret->type = NMEA_OTHER;
    ret->talker = NMEA_TALKER_OTHER;
    ret->fault = NULL;
    ret->fault_field = 0;
    if (length < 6 || length > LONGEST || text[5] != ',' || is_proprietary(text))
        return true;
    ret->talker = talker_of(text);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (memcmp(text + 2, types[i].name, 3) == 0) {
            split(&f, text, length);
            ret->type = types[i].type;
            types[i].decode(&f, ret);
            ret->fault = f.fault;
            ret->fault_field = f.fault_field;
            return !f.fault;
        }
    return true;
}

const char *nmea_type_name(enum nmea_type type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].type == type)
            return types[i].name;
    return "other";
}

const char *nmea_talker_name(enum nmea_talker talker)
{
    for (size_t i = 0; i < TALKER_COUNT; i++)
        if (talkers[i].talker == talker)
            return talkers[i].name;
    return "other";
}

bool nmea_quality_passes(int32_t quality)
{
    return quality >= 1 && quality <= 5;
}

bool nmea_mode_passes(char mode)
{
    return mode == '\0' || strchr("ADFRP", mode) != NULL;
}
