/* Chance that can be repeated; see noise.h. The mixer is SplitMix64's (Steele, Lea, Flood 2014). */
#include "noise.h"

static uint64_t mixed(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t noise_bits(uint64_t seed, const char *name, unsigned channel, int64_t step)
{
    uint64_t x = mixed(seed);

    for (; *name; name++)
        x = mixed(x ^ (unsigned char)*name);
    return mixed(mixed(x ^ channel) ^ (uint64_t)step);
}

double noise(uint64_t seed, const char *name, unsigned channel, int64_t step)
{
    return (double)(noise_bits(seed, name, channel, step) >> 11) * 0x1p-52 - 1;
}
