/* What Traccar's API says of a device, a position or an event (openapi.yaml of 6.14: schemas
 * Device, Position, Event). Pure; members that are absent, null or of another type are as if they
 * were not there, for all of that is met. */
#ifndef KPID_DRIVERS_TRACCAR_ITEM_H
#define KPID_DRIVERS_TRACCAR_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACCAR_TEXT_SIZE = 65, TRACCAR_ALARM_SIZE = 129 };

enum traccar_status { TRACCAR_UNKNOWN, TRACCAR_ONLINE, TRACCAR_OFFLINE };

struct traccar_device {
    int64_t id;
    char unique_id[TRACCAR_TEXT_SIZE];
    char name[TRACCAR_TEXT_SIZE];
    char model[TRACCAR_TEXT_SIZE];      /* "" */
    enum traccar_status status;
    bool disabled;
    int64_t updated_at;                 /* lastUpdate; 0: never */
    int64_t position;                   /* 0: none */
};

struct traccar_position {
    int64_t id, device;
    bool valid;
    double latitude, longitude;         /* degrees */
    int64_t fixed_at, heard_at;         /* fixTime, serverTime; 0: not said */
    char alarm[TRACCAR_ALARM_SIZE];     /* of its attributes: one or several with commas; "" */
};

struct traccar_event {
    int64_t id, device;
    char type[TRACCAR_TEXT_SIZE];
    int64_t at;
    char alarm[TRACCAR_ALARM_SIZE];
};

/* Each from one object of JSON. False without an id, or if it is no object. */
bool traccar_device_read(const char *json, size_t length, struct traccar_device *ret);
bool traccar_position_read(const char *json, size_t length, struct traccar_position *ret);
bool traccar_event_read(const char *json, size_t length, struct traccar_event *ret);

/* The values of "a,b , c" one after the other: copies the next into `ret`, cut at its size, and
 * returns where to go on; NULL at the end. */
const char *traccar_alarm_next(const char *alarms, char ret[TRACCAR_TEXT_SIZE]);

#endif
