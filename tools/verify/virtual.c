/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/virtual.h"

#include "tools/simulate/world.h"
#include "tools/verify/divided.h"

#define LINK_TAKES (MTIME_MSEC / 10) /* in the lab, whatever the scenario says */

int virtual_timeline(const struct scenario *scenario, unsigned speed, unsigned hz,
                     struct scenario **divided, struct timeline **timeline)
{
    int r = scenario_divided(divided, scenario, speed);

    if (r < 0)
        return r;
    for (unsigned side = 0; hz > 0 && side < 2; side++)
        (*divided)->host[side].system.hz = hz;
    for (size_t i = 0; i <= (*divided)->n_firewalls; i++)
        (*divided)->link[i].delay = LINK_TAKES;
    r = timeline_create(timeline, *divided);
    if (r == 0)
        r = world_play(*divided, *timeline, NULL, NULL);
    if (r == 0)
        timeline_multiply(*timeline, scenario, speed);
    return r;
}
