/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/story_clock.h"
#include "tools/timeline/timeline_text.h"

static void put_host(FILE *to, const struct scenario_host *host, unsigned side, int width)
{
    bool on = host->keepalive == SOFTWARE_KEEPALIVE_ON ||
              (host->keepalive == SOFTWARE_KEEPALIVE_UNSET && host->system.keepalive_always);

    fprintf(to, "  %-*s  %s", width - 2, flow_side_name((enum flow_side)side),
            host->system.product);
    if (host->software)
        fprintf(to, ", %s", host->software->name);
    if (side == FLOW_SERVER)
        fprintf(to, ", port %u", host->port);
    if (on)
        fprintf(to, ", keepalive %g %g %u\n", mtime_seconds(host->times.idle),
                mtime_seconds(host->times.interval), host->times.count);
    else
        fputs(", keepalive off\n", to);
}

static void put_firewall(FILE *to, const struct scenario_firewall *firewall, int width)
{
    const struct policy *policy = firewall->policy;
    const struct policy_profile *profile =
        &policy->profiles[policy->rules[policy->n_rules - 1].profile];
    char limit[STORY_TEXT];

    fprintf(to, "  %-*s  %s, tcp-established %s, on-expiry %s, on-late %s\n", width - 2,
            firewall->name, firewall->profile ? firewall->profile : profile->name,
            story_span(profile->timeout[TIMEOUT_TCP_ESTABLISHED], limit),
            policy_on_expiry_name(profile->on_expiry), policy_on_late_name(profile->on_late));
}

void text_cast(FILE *to, const struct scenario *scenario, int width)
{
    fprintf(to, "%s\n", scenario->title ? scenario->title : scenario->name);
    put_host(to, &scenario->host[FLOW_CLIENT], FLOW_CLIENT, width);
    for (size_t i = 0; i < scenario->n_firewalls; i++)
        put_firewall(to, &scenario->firewall[i], width);
    put_host(to, &scenario->host[FLOW_SERVER], FLOW_SERVER, width);
    fputc('\n', to);
}
