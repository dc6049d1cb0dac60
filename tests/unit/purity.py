#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is an archive pure: no call out of it but memory and arithmetic, no data that could be written?

Checks the engine, and then that the same check objects to all that is wrong with a library made for it.
"""

import argparse
import re
import subprocess
import sys

# What may be called: memory, and the names and references of policies, flows and events.
ALLOWED = re.compile(
    r"""(mem(cpy|move|set|cmp|chr|mem) | str(cmp|ncmp|len|nlen) | bcmp
    | malloc | calloc | realloc | free | aligned_alloc | mmap(64)? | mremap | munmap | madvise | qsort
    | __(mem(cpy|move|set))_chk | __(u?div|u?mod|mul|popcount|clz|ctz)\w*[sdt]i\d
    | policy_ref | policy_unref | policy_is_server_port | policy_(refresh|timeout)_of | policy_\w+_name
    | flow_(state|end|side)_name | event_(kind|action)_name
    | __assert_fail | __stack_chk_fail | _GLOBAL_OFFSET_TABLE_ )$""",
    re.X,
)
# What compilers add to check us; never a name of our own.
INSTRUMENTED = re.compile(r"(__(asan|ubsan|tsan|sanitizer|sancov|start___sancov|stop___sancov|gcov|llvm)_?\w+|mcount|_*fentry_*)$")
# Their tables: source positions, types, counters, and what describes globals to ASan.
INSTRUMENTATION_DATA = re.compile(
    r"(\.L(ubsan|ASAN|asan)\w*|__(odr_asan|asan|ubsan|sancov|gcov\d*|llvm|profc|profd)_?[\w.]*|asan\.\w+|\.?__unnamed_\d+|___asan_gen_[\w.]*)$")
# .data.rel.ro is constant: only the loader writes there
WRITABLE = re.compile(r"(\*COM\*|\.(data(?!\.rel\.ro)|bss|tdata|tbss|sdata|sbss|lbss|ldata)\b.*)$")


def faults(nm, archive):
    """How many symbols there are, and what is wrong with which."""
    out = subprocess.run([nm, "--format=sysv", archive], check=True, capture_output=True, text=True)
    rows = [[word.strip() for word in line.split("|")] for line in out.stdout.splitlines()]
    symbols = [(row[0], row[6]) for row in rows if len(row) == 7 and row[0] != "Name"]
    own = {name for name, section in symbols if section != "*UND*"}
    found = set()
    for name, section in symbols:
        if section == "*UND*":
            if name not in own and not ALLOWED.match(name) and not INSTRUMENTED.match(name):
                found.add(("calls", name))
        elif WRITABLE.match(section) and not INSTRUMENTATION_DATA.match(name):
            found.add(("can write", name))
    return len(symbols), found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", required=True)
    parser.add_argument("--pure", action="append", required=True)
    parser.add_argument("--impure", required=True)
    args = parser.parse_args()
    bad = 0

    def report(number, fine, text):
        nonlocal bad
        bad += not fine
        print("ok" if fine else "not ok", number, "-", text)

    print("1..3")
    counts, wrong = [], 0
    for archive in args.pure:
        count, found = faults(args.nm, archive)
        counts.append(count)
        wrong += len(found)
        for what, name in sorted(found):
            print("#", archive, what, name)
    report(1, not wrong, "nothing in the engine, or in what it calls, calls out or keeps state")
    report(2, min(counts) > 5, f"there was something to look at: {counts} symbols")
    expected = {
        ("calls", "clock_gettime"), ("calls", "getenv"), ("calls", "puts"),
        ("can write", "impure_bss"), ("can write", "impure_data"), ("can write", "impure_global"),
        ("can write", "impure_tls"),
    }
    _, found = faults(args.nm, args.impure)
    missed = {wrong for wrong in expected if not any(
        wrong[0] == what and re.fullmatch(r"(\w+\.)?" + wrong[1] + r"(\.\d+)?", name) for what, name in found)}
    for what, name in sorted(missed):
        print("# not noticed:", what, name)
    report(3, not missed, "the same check objects to a library that does both")
    return bad > 0


sys.exit(main())
