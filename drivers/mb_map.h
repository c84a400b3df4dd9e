/* What a kind of Modbus unit has to say, and what can be asked of it: its points (named places,
 * read over and over) and its acts (writes, only ever at somebody's word), as a configuration
 * describes them. Immutable once read: any thread.
 *
 *   maps = ( { name = "card";
 *              points = ( { name = "supply_mv"; address = 6; measure = "mV"; }, ... );
 *              acts = ( { verb = "show"; address = 33; read_back = "show_state"; }, ... ); } );
 *
 * The map "led" is built in: the one contiguous block that this project proposes for roof lights
 * (docs/modbus.md). */
#ifndef KPID_DRIVERS_MB_MAP_H
#define KPID_DRIVERS_MB_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "reading.h"

/* Limits of the Modbus application protocol 1.1b3, sections 6.1 and 6.3. */
enum { MB_REGISTERS_MAX = 125, MB_BITS_MAX = 2000, MB_WRITE_REGISTERS_MAX = 123 };
enum { MB_POINTS_MAX = 256, MB_STRING_REGISTERS_MAX = 64 };

enum mb_function {
    MB_READ_COILS = 1,
    MB_READ_DISCRETE_INPUTS = 2,
    MB_READ_HOLDING = 3,
    MB_READ_INPUT = 4,
    MB_WRITE_REGISTER = 6,
    MB_DIAGNOSTICS = 8,
    MB_WRITE_REGISTERS = 16,
};

enum mb_type { MB_U16, MB_I16, MB_U32, MB_I32, MB_F32, MB_BIT, MB_ENUM, MB_STRING, MB_VERSION };

/* How the bytes ABCD of a value travel: not standardised, so every order is met. Of a 16-bit value
 * or a string `le` and `bswap` swap the two bytes of each register. */
enum mb_order { MB_BE /* ABCD */, MB_LE /* DCBA */, MB_WSWAP /* CDAB */, MB_BSWAP /* BADC */ };

enum mb_poll { MB_NORMAL, MB_FAST, MB_SLOW };
enum { MB_POLLS = MB_SLOW + 1 };

struct mb_name {
    int64_t number;
    char *name;
};

/* When a value means a fault of the device. Only what is set counts, and any of it suffices. */
struct mb_faulty {
    char *code;    /* of the fault; NULL: no value of this point is one */
    uint32_t mask; /* any of these bits is 1 */
    bool has_equals, has_below, has_above;
    double equals, below, above;
};

struct mb_point {
    char *name;
    uint32_t function, address;
    uint32_t registers;    /* of a string; of others what the type takes */
    uint32_t bit;          /* MB_BIT in a register: 0 is the least */
    int type, order, poll; /* enum mb_type, mb_order, mb_poll */
    double scale, offset;  /* what is read, times scale, plus offset */
    char *measure;
    int64_t moves_within_ms; /* a value that stands still for longer is frozen; 0: it may */
    int64_t age_limit_ms;    /* 0: a few polling intervals */
    struct mb_name *names;   /* MB_ENUM */
    size_t name_count;
    struct mb_faulty faulty;
    struct option_tree *values_tree, *faulty_tree; /* as configured; freed once read */
};

/* How an act shows that it was done. */
enum mb_check {
    MB_CHECK_NONE,     /* write only: nothing to read it back from */
    MB_CHECK_EQUALS,   /* the point says what was written */
    MB_CHECK_ENDS,     /* the point, a bit, becomes 1 */
    MB_CHECK_RESTARTS, /* the point, a counter since power-on, begins anew */
    MB_CHECK_SAME,     /* the registers that were written say the same when read */
};

struct mb_act {
    char *verb; /* COMMAND_SELF_TEST ... */
    uint32_t function, address;
    uint32_t value;     /* that is written, where the act takes no argument */
    uint32_t registers; /* of a text */
    int order;          /* of its bytes */
    int encoding;       /* enum mb_encoding */
    char *read_back;    /* name of a point, "registers", or NULL */
    char *result;       /* self_test: the point that tells the outcome; NULL: none */
    enum mb_check check;
    const struct mb_point *checks, *tells; /* of the map; NULL where there is none */
};

enum mb_encoding { MB_GBK, MB_UTF8, MB_ASCII };

struct mb_map {
    char *name;
    struct mb_point *points;
    size_t point_count;
    struct mb_act *acts;
    size_t act_count;
};

struct mb_maps {
    struct mb_map *items;
    size_t count;
};

extern const struct option mb_map_options[];
extern const struct option mb_point_options[];
extern const struct option mb_value_options[];
extern const struct option mb_faulty_options[];
extern const struct option mb_act_options[];

/* Reads `maps = (...)` (NULL: there is none) and adds the built-in one. Every fault is added:
 * points that overlap with other types, addresses as manuals number them, unknown names. What is
 * returned is safe to use and to finish even then. */
void mb_maps_read(struct mb_maps *maps, const struct option_tree *list, uint32_t registers_max,
                  struct faults *faults);
void mb_maps_finish(struct mb_maps *maps);

/* NULL if there is none of that name. */
const struct mb_map *mb_maps_find(const struct mb_maps *maps, const char *name);
const struct mb_point *mb_map_point(const struct mb_map *map, const char *name);
const struct mb_act *mb_map_act(const struct mb_map *map, const char *verb);

/* True of functions 3 and 4; the others read single bits. */
bool mb_reads_registers(uint32_t function);
/* Registers (or bits of functions 1 and 2) that a point takes. */
uint32_t mb_point_width(const struct mb_point *point);
/* "function 3, address 9": where a point stands, for a person. Returns `to`. */
enum { MB_PLACE_SIZE = 40 };
char *mb_point_place(char to[MB_PLACE_SIZE], const struct mb_point *point);

#endif
