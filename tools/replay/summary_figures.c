/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_private.h"

#define FIGURE(name, member)                                                                       \
    {                                                                                              \
        name, offsetof(struct figures, member)                                                     \
    }

const struct figure summary_figures[] = {
    FIGURE("parts", parts),
    FIGURE("connections", flows),
    FIGURE("fine", by_outcome[REPLAY_FINE]),
    FIGURE("saved", by_outcome[REPLAY_SAVED]),
    FIGURE("broken", by_outcome[REPLAY_BROKEN]),
    FIGURE("expired", by_outcome[REPLAY_EXPIRED]),
    FIGURE("refused", by_outcome[REPLAY_REFUSED]),
    FIGURE("midstream", midstream),
    FIGURE("late_packets", late_packets),
    FIGURE("keepalive_would_save", helped),
    FIGURE("keepalive_too_slow", too_slow),
    FIGURE("first_late_passed", acted[ACTED_NONE]),
    FIGURE("first_late_dropped", acted[ACTED_DROPPED]),
    FIGURE("first_late_reset_sender", acted[ACTED_RESET_SENDER]),
    FIGURE("first_late_reset_client", acted[ACTED_RESET_CLIENT]),
    FIGURE("first_late_reset_server", acted[ACTED_RESET_SERVER]),
    FIGURE("first_late_reset_both", acted[ACTED_RESET_BOTH]),
    FIGURE("first_late_icmp", acted[ACTED_ICMP]),
    FIGURE("first_late_adopted", acted[ACTED_ADOPTED]),
    FIGURE("first_late_probed", acted[ACTED_PROBED]),
    FIGURE("first_late_rate_limited", acted[ACTED_RATE_LIMITED]),
    FIGURE("packets", packets),
    FIGURE("bytes", bytes),
    FIGURE("accepted_packets", accepted),
    FIGURE("dropped_packets", dropped),
    FIGURE("entries_opened", opened),
    FIGURE("entries_expired", expired),
    FIGURE("peak_entries_sum", peak_sum),
    FIGURE("entry_ms", entry_ms),
    FIGURE("observed_ms", observed_ms),
    FIGURE("capture_bytes", capture.bytes),
    FIGURE("capture_size_bytes", capture.size),
    FIGURE("capture_packets", capture.packets),
    FIGURE("capture_ip", capture.ip),
    FIGURE("capture_not_ip", capture.not_ip),
    FIGURE("capture_link_broken", capture.link_broken),
    FIGURE("capture_unknown_link", capture.unknown_link),
    FIGURE("capture_tunnels", capture.tunnels),
    FIGURE("capture_backwards", capture.backwards),
};
const size_t summary_figure_count = sizeof(summary_figures) / sizeof(summary_figures[0]);
