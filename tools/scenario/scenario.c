/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include <stdlib.h>
#include <string.h>

void scenario_axis_finish(struct axis *axis)
{
    for (size_t i = 0; i < axis->n_values; i++)
        free(axis->values[i]);
    free(axis->values);
    free(axis->label);
}

struct scenario *scenario_destroy(struct scenario *scenario)
{
    if (!scenario)
        return NULL;
    for (size_t i = 0; i < scenario->n_firewalls; i++) {
        free(scenario->firewall[i].name);
        free(scenario->firewall[i].profile);
        free(scenario->firewall[i].policy_file);
        free(scenario->firewall[i].policy_text);
        policy_unref(scenario->firewall[i].policy);
    }
    for (size_t i = 0; i <= SCENARIO_FIREWALLS; i++) {
        free(scenario->link[i].lose[0]);
        free(scenario->link[i].lose[1]);
    }
    for (size_t i = 0; i < scenario->n_expectations; i++)
        free(scenario->expectations[i].text);
    for (size_t i = 0; i < scenario->n_axes; i++)
        scenario_axis_finish(&scenario->axis[i]);
    free(scenario->expectations);
    free(scenario->deeds);
    free(scenario->title);
    free(scenario->story);
    free(scenario->remedy);
    free(scenario->text);
    free(scenario->name);
    free(scenario->directory);
    free(scenario);
    return NULL;
}

const char *scenario_place_name(const struct scenario *scenario, unsigned place)
{
    if (place == SCENARIO_CLIENT)
        return "client";
    return place <= scenario->n_firewalls ? scenario->firewall[place - 1].name : "server";
}

const struct scenario_shipped *scenario_shipped_find(const char *name)
{
    for (size_t i = 0; i < scenario_shipped_count; i++)
        if (strcmp(scenario_shipped[i].name, name) == 0)
            return &scenario_shipped[i];
    return NULL;
}
