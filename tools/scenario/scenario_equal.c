/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_equal.h"

#include "policy/policy_equal.h"

#include <string.h>

static bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool times_equal(const struct keepalive_times *a, const struct keepalive_times *b)
{
    return a->idle == b->idle && a->interval == b->interval && a->count == b->count;
}

/* Of a preset only what a setting can change; the rest goes with its name. */
static bool system_equal(const struct system *a, const struct system *b)
{
    return text_equal(a->name, b->name) && a->hz == b->hz &&
           times_equal(&a->keepalive, &b->keepalive) && a->retries == b->retries &&
           a->syn_retries == b->syn_retries && a->synack_retries == b->synack_retries &&
           a->rto_initial == b->rto_initial && a->rto_min == b->rto_min &&
           a->rto_max == b->rto_max && a->orphan_retries == b->orphan_retries &&
           a->fin_timeout == b->fin_timeout && a->time_wait == b->time_wait &&
           a->zero_window_abort == b->zero_window_abort && a->receive_buffer == b->receive_buffer &&
           a->mss == b->mss && a->timestamps == b->timestamps && a->sack == b->sack &&
           a->tail_loss_probe == b->tail_loss_probe;
}

static bool behaviour_equal(const struct behaviour *a, const struct behaviour *b)
{
    return a->read_timeout == b->read_timeout && a->heartbeat == b->heartbeat &&
           a->heartbeat_bytes == b->heartbeat_bytes &&
           a->heartbeat_timeout == b->heartbeat_timeout && a->idle_close == b->idle_close &&
           a->reconnect == b->reconnect && a->answer_bytes == b->answer_bytes &&
           a->answer_after == b->answer_after && a->ignores_eof == b->ignores_eof &&
           a->reads_not == b->reads_not;
}

static bool host_equal(const struct scenario_host *a, const struct scenario_host *b)
{
    return system_equal(&a->system, &b->system) && a->software == b->software &&
           a->port == b->port && a->keepalive == b->keepalive &&
           times_equal(&a->times, &b->times) && a->user_timeout == b->user_timeout &&
           behaviour_equal(&a->behaviour, &b->behaviour) && a->jiffy_given == b->jiffy_given &&
           a->jiffy == b->jiffy && a->set == b->set;
}

static bool firewall_equal(const struct scenario_firewall *a, const struct scenario_firewall *b)
{
    return text_equal(a->name, b->name) && text_equal(a->profile, b->profile) &&
           text_equal(a->policy_file, b->policy_file) && policy_equal(a->policy, b->policy);
}

static bool link_equal(const struct scenario_link *a, const struct scenario_link *b)
{
    for (unsigned side = 0; side < 2; side++)
        if (a->n_lose[side] != b->n_lose[side] ||
            (a->n_lose[side] > 0 &&
             memcmp(a->lose[side], b->lose[side], a->n_lose[side] * sizeof(a->lose[side][0])) != 0))
            return false;
    return a->delay == b->delay && a->loss >= b->loss && a->loss <= b->loss;
}

static bool deed_equal(const struct deed *a, const struct deed *b)
{
    return a->at == b->at && a->verb == b->verb && a->place == b->place &&
           a->side_given == b->side_given && a->side == b->side && a->number == b->number &&
           a->new_address == b->new_address && a->keepalive == b->keepalive &&
           times_equal(&a->times, &b->times) && a->duration == b->duration;
}

static bool expectation_equal(const struct expectation *a, const struct expectation *b)
{
    return a->kind == b->kind && a->place == b->place && a->negated == b->negated &&
           a->from == b->from && a->to == b->to && a->at_given == b->at_given &&
           a->error == b->error && a->state == b->state && a->event == b->event &&
           a->timer == b->timer && a->left_from == b->left_from && a->left_to == b->left_to &&
           a->retransmits == b->retransmits && a->probes == b->probes && a->passage == b->passage &&
           a->note == b->note && a->flags == b->flags && a->side_given == b->side_given &&
           a->side == b->side && a->number_from == b->number_from && a->number_to == b->number_to &&
           text_equal(a->text, b->text);
}

static bool workload_equal(const struct workload *a, const struct workload *b)
{
    return a->clients == b->clients && a->over == b->over && a->regular == b->regular &&
           a->idle.spread == b->idle.spread && a->idle.a == b->idle.a && a->idle.b == b->idle.b &&
           a->idle.shape >= b->idle.shape && a->idle.shape <= b->idle.shape &&
           a->requests_from == b->requests_from && a->requests_to == b->requests_to &&
           a->request_bytes == b->request_bytes && a->answer_bytes == b->answer_bytes &&
           a->answer_after == b->answer_after && a->vanish >= b->vanish && a->vanish <= b->vanish;
}

static bool axis_equal(const struct axis *a, const struct axis *b)
{
    if (strcmp(a->label, b->label) != 0 || a->n_values != b->n_values)
        return false;
    for (size_t i = 0; i < a->n_values; i++)
        if (strcmp(a->values[i], b->values[i]) != 0)
            return false;
    return true;
}

static bool axes_equal(const struct scenario *a, const struct scenario *b)
{
    if (a->n_axes != b->n_axes)
        return false;
    for (size_t i = 0; i < a->n_axes; i++) {
        size_t k = 0;

        while (k < b->n_axes && !axis_equal(&a->axis[i], &b->axis[k]))
            k++;
        if (k == b->n_axes)
            return false;
    }
    return true;
}

static bool path_equal(const struct scenario *a, const struct scenario *b)
{
    if (a->n_firewalls != b->n_firewalls)
        return false;
    for (size_t i = 0; i < a->n_firewalls; i++)
        if (!firewall_equal(&a->firewall[i], &b->firewall[i]))
            return false;
    for (size_t i = 0; i <= a->n_firewalls; i++)
        if (!link_equal(&a->link[i], &b->link[i]))
            return false;
    return host_equal(&a->host[0], &b->host[0]) && host_equal(&a->host[1], &b->host[1]);
}

bool scenario_equal(const struct scenario *a, const struct scenario *b)
{
    if (!text_equal(a->title, b->title) || !text_equal(a->story, b->story) ||
        !text_equal(a->remedy, b->remedy) || a->seed != b->seed || a->until != b->until ||
        a->virtual_only != b->virtual_only || a->sample != b->sample || a->plot != b->plot ||
        a->n_deeds != b->n_deeds || a->n_expectations != b->n_expectations)
        return false;
    for (size_t i = 0; i < a->n_deeds; i++)
        if (!deed_equal(&a->deeds[i], &b->deeds[i]))
            return false;
    for (size_t i = 0; i < a->n_expectations; i++)
        if (!expectation_equal(&a->expectations[i], &b->expectations[i]))
            return false;
    return path_equal(a, b) && workload_equal(&a->workload, &b->workload) && axes_equal(a, b);
}
