#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A test that has never failed proves nothing: breaks one rule, figure or line at a time, in a copy, and says which test
# noticed. Not part of the ordinary tests: a minute a dozen.
#   tests/mutants.sh engine|endpoint|places|align|advice [PATTERN]
# engine: the firewall; endpoint: the simulator's TCP; places: `idlewall replay --at`; align: `idlewall align`; advice: what it prints for the servers of
# tests/lab/align_software.py, judged by that test alone (as root, most of a minute each).
# PATTERN: a grep expression for the lines of mutants/*.txt. Exit status 1: a mutant lived, or its place is not there any more.
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
which=${1:-}
case $which in
engine) folder=middlebox/engine list=engine tests='\(wheel\|late_memory\|flow_table\|engine\|age\|steady\)' ;;
endpoint) folder=tools/simulate list=endpoint tests='\(tcp_[a-z_]*\|system\)' ;;
places) folder=tools/replay list=places tests='places' ;;
align) folder=tools/align list=align tests='align_\(advice\|limit\|plan\|verdict\)' ;;
advice) folder=tools/align list=align tests='none' ;;
*)
    echo "usage: tests/mutants.sh engine|endpoint|places|align|advice [PATTERN]" >&2
    exit 2
    ;;
esac
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 3' INT TERM HUP
(cd "$source" && git archive HEAD) | tar -x -C "$copy" || exit 3
cd "$copy" || exit 3
meson setup build -Dbuildtype=debug -Doptimization=0 -Dwerror=false >/dev/null || exit 3
tests=$(ninja -C build -t targets all | sed -n "s,^tests/unit/\(${tests}_test\): .*,\1,p")
targets=$(for t in $tests; do echo "tests/unit/$t"; done)
case $which in
engine) targets="$targets tests/scripts/script_run tests/fuzz/fuzz_segments" ;;
places) targets="$targets tools/idlewall" ;;
advice) targets="tools/idlewall middlebox/live/idlewalld" ;;
esac
# shellcheck disable=SC2086
ninja -C build $targets >/dev/null || exit 3
export KEEPALIVES="$copy/tests/profiles/keepalives.tsv" IDLEWALL_BUILD="$copy/build"
lived=0
killed=0
tab=$(printf '\t')

# Prints who noticed; nothing: nobody did.
noticed() {
    for t in $tests; do
        CMOCKA_MESSAGE_OUTPUT=TAP timeout 60 "build/tests/unit/$t" >/dev/null 2>&1 || { echo "$t"; return; }
    done
    case $which in
    engine)
        for s in tests/scripts/*.script; do
            timeout 60 build/tests/scripts/script_run "$s" >out 2>&1 ||
                { echo "${s##*/}: $(sed -n 's/^not ok [0-9]* - [^:]*: //p' out | head -1)"; return; }
        done
        timeout 60 build/tests/fuzz/fuzz_segments --seconds 3 >/dev/null 2>&1 || echo fuzz_segments
        ;;
    places)
        timeout 100 python3 tests/unit/replay_places_test.py build/tools/idlewall >out 2>&1 ||
            { sed -n 's/^not ok [0-9]* - //p' out; echo replay_places; } | head -1
        ;;
    advice)
        timeout 200 python3 tests/lab/align_software.py 'advised.*silent drop' >out 2>&1 ||
            sed -n 's/^# \([A-Za-z]*Error: .*\)/\1/p' out | cut -c1-160 | head -1
        ;;
    esac
}

grep -v '^#' "tests/mutants/$list.txt" | grep -e "${2:-.}" >chosen
while IFS="$tab" read -r name title change; do
    file=$folder/$name
    cp "$file" original
    perl -0pi -e "$change" "$file"
    if cmp -s "$file" original; then
        echo "gone    $name: $title: nothing there to break"
        lived=$((lived + 1))
        continue
    fi
    # shellcheck disable=SC2086
    if ninja -C build $targets >out 2>&1 </dev/null; then
        who=$(noticed </dev/null)
    else
        who="the compiler"
    fi
    if [ -n "$who" ]; then
        echo "killed  $name: $title ($who)"
        killed=$((killed + 1))
    else
        echo "LIVED   $name: $title"
        lived=$((lived + 1))
    fi
    cp original "$file"
done <chosen

echo "$killed killed, $lived lived"
[ "$lived" -eq 0 ]
