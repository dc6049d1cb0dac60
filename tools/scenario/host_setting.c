/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/host_setting.h"

#include <string.h>

#define FIELD(field)                                                                               \
    offsetof(struct scenario_host, field), sizeof(((struct scenario_host *)0)->field)
#define YEAR ((uint64_t)SCENARIO_UNTIL_MAX)
#define MS ((uint64_t)MTIME_MSEC)
#define S ((uint64_t)MTIME_SEC)

const struct host_setting host_settings[] = {
    {"port", HOST_NUMBER, FIELD(port), 1, 65535},
    {"app", HOST_APP, 0, 0, 0, 0},
    {"keepalive", HOST_KEEPALIVE, 0, 0, 0, 0},
    {"user-timeout", HOST_DURATION, FIELD(user_timeout), MS, INT32_MAX *MS},
    {"read-timeout", HOST_DURATION, FIELD(behaviour.read_timeout), MS, YEAR},
    {"heartbeat", HOST_HEARTBEAT, 0, 0, 0, 0},
    {"idle-close", HOST_DURATION, FIELD(behaviour.idle_close), MS, YEAR},
    {"reconnect", HOST_DURATION, FIELD(behaviour.reconnect), MS, YEAR},
    {"answer", HOST_ANSWER, 0, 0, 0, 0},
    {"ignores-eof", HOST_FLAG, FIELD(behaviour.ignores_eof), 0, 1},
    {"reads-not", HOST_FLAG, FIELD(behaviour.reads_not), 0, 1},
    {"hz", HOST_NUMBER, FIELD(system.hz), 24, 10000},
    {"jiffy", HOST_NUMBER, FIELD(jiffy), 0, UINT64_C(1) << 48},
    {"tcp-keepalive", HOST_SYSTEM_KEEPALIVE, 0, 0, 0, 0},
    {"retries", HOST_NUMBER, FIELD(system.retries), 1, 255},
    {"syn-retries", HOST_NUMBER, FIELD(system.syn_retries), 1, 127},
    {"synack-retries", HOST_NUMBER, FIELD(system.synack_retries), 1, 127},
    {"rto-initial", HOST_DURATION, FIELD(system.rto_initial), MS, 120 * S},
    {"rto-min", HOST_DURATION, FIELD(system.rto_min), MS, 120 * S},
    {"rto-max", HOST_DURATION, FIELD(system.rto_max), S, 600 * S},
    {"orphan-retries", HOST_NUMBER, FIELD(system.orphan_retries), 0, 127},
    {"fin-timeout", HOST_DURATION_NEVER, FIELD(system.fin_timeout), S, YEAR},
    {"time-wait", HOST_DURATION, FIELD(system.time_wait), MS, 600 * S},
    {"zero-window-abort", HOST_DURATION, FIELD(system.zero_window_abort), S, YEAR},
    {"receive-buffer", HOST_NUMBER, FIELD(system.receive_buffer), 1024, 1 << 30},
    {"mss", HOST_NUMBER, FIELD(system.mss), 88, 9000},
    {"timestamps", HOST_SWITCH, FIELD(system.timestamps), 0, 1},
    {"sack", HOST_SWITCH, FIELD(system.sack), 0, 1},
    {"tail-loss-probe", HOST_SWITCH, FIELD(system.tail_loss_probe), 0, 1},
};
const size_t host_setting_count = sizeof(host_settings) / sizeof(host_settings[0]);

const struct host_setting *host_setting_find(const char *name, size_t len)
{
    for (size_t i = 0; i < host_setting_count; i++)
        if (strlen(host_settings[i].name) == len && memcmp(host_settings[i].name, name, len) == 0)
            return &host_settings[i];
    return NULL;
}

const char *host_setting_names(void)
{
    return "port, app, keepalive, user-timeout, read-timeout, heartbeat, idle-close, reconnect, "
           "answer, ignores-eof, reads-not, hz, jiffy, tcp-keepalive, retries, syn-retries, "
           "synack-retries, rto-initial, rto-min, rto-max, orphan-retries, fin-timeout, time-wait, "
           "zero-window-abort, receive-buffer, mss, timestamps, sack, tail-loss-probe";
}
