#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# As endpoint_mutants.sh, for `idlewall align`: breaks one rule, figure or line of advice at a time, in a copy, and says which
# test noticed.
#   tests/align_mutants.sh [COPY]      exit status 1: a mutant lived, or its place in the source is not there any more
# What to break is in align_mutants.txt: FILE<TAB>NAME<TAB>PERL-SUBSTITUTION, a line each; the file is in tools/align.
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
copy=${1:-$(mktemp -d)}
mkdir -p "$copy"
(cd "$source" && git archive HEAD) | tar -x -C "$copy" || exit 3
cd "$copy" || exit 3
meson setup build -Dbuildtype=debug -Doptimization=0 -Dwerror=false >/dev/null || exit 3
tests=$(ninja -C build -t targets all | sed -n 's,^tests/unit/\(align_\(advice\|limit\|plan\|verdict\)_test\): .*,\1,p')
targets=$(for t in $tests; do echo "tests/unit/$t"; done)
# shellcheck disable=SC2086
ninja -C build $targets >/dev/null || exit 3
lived=0
killed=0
tab=$(printf '\t')

# Prints who noticed; nothing: nobody did.
noticed() {
    for t in $tests; do
        CMOCKA_MESSAGE_OUTPUT=TAP timeout 60 "build/tests/unit/$t" >/dev/null 2>&1 || { echo "$t"; return; }
    done
}

while IFS="$tab" read -r name title change; do
    case $name in '#'* | '') continue ;; esac
    file=tools/align/$name
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
done <tests/align_mutants.txt

echo "$killed killed, $lived lived"
[ "$lived" -eq 0 ]
