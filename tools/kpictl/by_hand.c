/* Events by hand: the clock, the user and chance. */
#include "by_hand.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void now_local(char to[INSTANT_SIZE])
{
    int64_t now = clock_wall(&clock_system);
    time_t seconds = (time_t)(now / 1000);
    struct tm local;

    localtime_r(&seconds, &local);
    instant_format(to, now, (int32_t)(local.tm_gmtoff / 60 * 60));
}

void fresh_id(char to[64])
{
    unsigned char bytes[8] = { 0 };
    uint64_t number = 0;

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        memset(bytes, getpid() & 0xff, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        number = number << 8 | bytes[i];
    snprintf(to, 64, "kpictl-%lld-%016llx", (long long)clock_wall(&clock_system),
             (unsigned long long)number);
}

const char *user_name(void)
{
    const struct passwd *user = getpwuid(getuid());

    return user ? user->pw_name : "unknown";
}
