#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A test that has never failed proves nothing: breaks the engine in one place at a time, in a copy, and says which test
# noticed. Not part of the ordinary tests: a minute a dozen.
#   tests/mutants.sh [COPY]      exit status 1: a mutant lived, or its place in the source is not there any more
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
copy=${1:-$(mktemp -d)}
mkdir -p "$copy"
(cd "$source" && git archive HEAD) | tar -x -C "$copy" || exit 3
cd "$copy" || exit 3
meson setup build -Dbuildtype=debug >/dev/null || exit 3
tests="wheel_test late_memory_test flow_table_test engine_test age_test"
targets="tests/scripts/script_run tests/fuzz/fuzz_segments $(for t in $tests; do echo "tests/unit/$t"; done)"
# shellcheck disable=SC2086
ninja -C build $targets >/dev/null || exit 3
lived=0
killed=0

# Prints who noticed; nothing: nobody did.
noticed() {
    for t in $tests; do
        CMOCKA_MESSAGE_OUTPUT=TAP timeout 60 "build/tests/unit/$t" >/dev/null 2>&1 || { echo "$t"; return; }
    done
    for s in tests/scripts/*.script; do
        timeout 60 build/tests/scripts/script_run "$s" >out 2>&1 ||
            { echo "${s##*/}: $(sed -n 's/^not ok [0-9]* - [^:]*: //p' out | head -1)"; return; }
    done
    timeout 60 build/tests/fuzz/fuzz_segments --seconds 3 >/dev/null 2>&1 || echo fuzz_segments
}

# mutant FILE NAME PERL-SUBSTITUTION
mutant() {
    file=middlebox/engine/$1
    cp "$file" original
    perl -0pi -e "$3" "$file"
    if cmp -s "$file" original; then
        echo "gone    $1: $2: nothing there to break"
        lived=$((lived + 1))
        return
    fi
    # shellcheck disable=SC2086
    if ninja -C build $targets >out 2>&1; then
        who=$(noticed)
    else
        who="the compiler"
    fi
    if [ -n "$who" ]; then
        echo "killed  $1: $2 ($who)"
        killed=$((killed + 1))
    else
        echo "LIVED   $1: $2"
        lived=$((lived + 1))
    fi
    cp original "$file"
}

mutant life_end.c "expired only after the limit" 's/if \(e->now < life_over_at\(e, f\)\)/if (e->now <= life_over_at(e, f))/'
mutant engine_table.c "a read shows what is due" 's/e->now < (life_over_at\(e, f\)|f\.r->deadline)\)\n/e->now <= $1)\n/'
mutant tcp_state.c "the timeout of another state" 's/return TIMEOUT_TCP_CLOSE_WAIT;/return TIMEOUT_TCP_FIN_WAIT;/'
mutant tcp_state.c "a SYN again renews" 's/return TCP_KEEP;/return TCP_REFRESH;/'
mutant tcp_state.c "a RST needs no window" 's/return RST_INVALID;/return RST_UNCHECKED;/'
mutant tcp_state.c "an inexact RST closes" 's/        \*next = f->state;\n/        (void)next;\n/'
mutant tcp_state.c "an inexact RST keeps any flow" 's/ && f->assured; \/\*/ \&\& 1; \/*/'
mutant tcp_state.c "a closed flow is never reopened" 's/return TCP_REOPEN;/return TCP_IGNORE;/'
mutant tcp_state.c "a challenge ACK counts as the last one" 's/\(state == FLOW_LAST_ACK \? TCP_LAST_CHALLENGE : 0\)/0/'
mutant tcp_state.c "no short timeout for what was picked up" 's/f->reply \? 0 : CHOICE_NO_REPLY/0/'
mutant tcp_state.c "one retransmission more" 's/t->retrans >= profile->max_retrans/t->retrans > profile->max_retrans/'
mutant tcp_window.c "windows are not scaled" 's/\(uint32_t\)p->window << t->scale\[d\];/(uint32_t)p->window;/'
mutant tcp_window.c "unacknowledged data stays so" 's/t->flags\[r\] &= \(uint8_t\)~TCP_SIDE_UNACKED;/t->flags[r] |= 0;/'
mutant late.c "the memory decides" 's/struct judgement j = judged\(VERDICT_DROP, REASON_LATE\);/struct judgement j = judged(late_memory_find(\&e->late, hash, \&p->key, e->now) ? VERDICT_DROP : VERDICT_ACCEPT, REASON_LATE);/'
mutant late.c "reset-client answers the server too" 's/if \(from_client\)\n(\s+)return answer_sender/if (1)\n$1return answer_sender/'
mutant late.c "what lingers is picked up beside itself" 's/life_bury\(e, live_at\(e, slot\)\);/(void)slot;/'
mutant reset.c "a RST is answered" 's/p->kind != PACKET_TCP \|\| p->flags & TCP_RST\)/p->kind != PACKET_TCP)/'
mutant reset.c "a kill knows only the highest end" 's/if \(knows_ack && /if (0 \&\& knows_ack \&\& /'
mutant reset.c "twice the rate" 's/\(mtime_t\)n \* \(MTIME_SEC \/ rate\)/(mtime_t)n * (MTIME_SEC \/ rate) \/ 2/'
mutant judge.c "a blocked packet renews" 's/(        return judged\(VERDICT_DROP, REASON_BLOCKED\);)/{ life_renew(e, f);\n$1 }/'
mutant judge.c "an invalid packet renews" 's/(    case TCP_INVALID:\n)/$1        life_renew(e, f);\n/'
mutant judge.c "a keepalive probe is payload" 's/p->payload_len > 1 \|\|\n?\s*\(p->payload_len == 1 && p->seq \+ 1 != f\.r->tcp\.end\[dir\]\)/p->payload_len > 0/'
mutant judge.c "a UDP stream from the first answer on" 's/ > 2 \* MTIME_SEC/ > 0/'
mutant judge.c "SYN|FIN opens where a flow lingers" 's/if \(p->kind == PACKET_TCP && !tcp_flags_valid\(p->flags\)\)\n(\s+)return invalid\(profile_of/if (0)\n$1return invalid(profile_of/'
mutant life.c "a whole life has no end" 's/return idle < whole \? idle : whole;/(void)whole;\n    return idle;/'
mutant life_open.c "a full table is full of what is over" 's/if \(expire_due\(e, out\)\)/if (0 && expire_due(e, out))/'
mutant life.c "a deadline that comes nearer stays where it was" 's/bool later = deadline >= f\.r->deadline;/bool later = true;/'
mutant judge.c "what is over at this moment is not asked" 's/return e->now >= flow_store_at/return e->now > flow_store_at/'
mutant life.c "refresh client takes the server too" 's/if \(dir != FLOW_CLIENT\)/if (0)/'
mutant life.c "a short timeout is never taken off" 's/(\n    mtime_t before = profile->timeout\[f\.r->timeout_name\], since = f\.r->last;\n)/$1\n    return;\n/'
mutant command.c "unblock unblocks both ways" 's/if \(c->side_given\)/if (c->side_given \&\& blocked)/'
mutant engine.c "old policies are never given up" 's/\n    drop_unused\(e, e->policy_hand\+\+\);/\n    e->policy_hand++;/; s/\n        drop_unused\(e, n\);/\n        ;/'
mutant wheel.c "what was put off hides its neighbours" 's/if \(w->head\[w->entered\] && \*start <= w->now\)/if (0)/'
mutant flow_table.c "an emptied overflow bucket stays" 's/if \(j == 0 && before\)/if (0)/'
mutant late_memory.c "a nanosecond too long" 's/return now < mtime_add/return now <= mtime_add/'
mutant late_memory.c "the oldest is found first" 's/\*chain = \(uint32_t\)\(e - m->ring\) \+ 1;/if (e->next) { struct late_entry *l = \&m->ring[e->next - 1]; while (l->next) l = \&m->ring[l->next - 1]; l->next = (uint32_t)(e - m->ring) + 1; e->next = 0; } else *chain = (uint32_t)(e - m->ring) + 1;/'
mutant dcd.c "probes at a half of the interval" 's/mtime_add\(e->now, profile->dcd_interval\)/mtime_add(e->now, profile->dcd_interval \/ 2)/'
mutant dcd.c "one answer is enough" 's/if \(\(extra->dcd_answered & asked\) != asked\)/if (asked == 99)/'
mutant dcd.c "those that answered are asked again" 's/ & ~\(unsigned\)extra->dcd_answered;/;/'
mutant dcd.c "half-closed flows are asked" 's/f\.r->state == FLOW_ESTABLISHED && /1 \&\& /'
mutant dcd.c "no grace beyond the limit" 's/return profile->dcd_interval \* profile->dcd_count \+ extra_of\(e, f\)->dcd_wait;/return 0;/'
mutant dcd.c "any segment is an answer" 's/ && p->seq == t->end\[dir\]/ /'
mutant reset.c "a probe with the next number" 's/\.seq = t->end\[other\] - 1,/.seq = t->end[other],/'
mutant judge.c "answers are never swallowed" 's/dcd_answers == DCD_ANSWERS_SWALLOW/dcd_answers == 99/'
mutant judge.c "a RST that should be ignored closes" 's/profile->rst == RST_IGNORED\) \{/0) {/'
mutant life_show.c "adaptive timeouts shrink by the wrong end" 's/left = policy->adaptive_end - e->stats\.flows;/left = e->stats.flows - policy->adaptive_start;/'
mutant life.c "all states refresh" 's/if \(profile->refresh_in == REFRESH_IN_ESTABLISHED &&/if (0 \&\&/'
mutant tcp_state.c "one FIN starts what both should" 's/if \(profile->half_close == HALF_CLOSE_BOTH_FINS &&/if (!profile \&\&/'
mutant age.c "the first found is the oldest" 's/if \(last <= age->wheel\.now\)/if (last >= 0)/'

echo "$killed killed, $lived lived"
[ "$lived" -eq 0 ]
