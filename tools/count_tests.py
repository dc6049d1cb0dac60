# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts the cases in meson's testlog.json. A skip that skips.txt does not allow is a failure.

Not from the JUnit file: that one does not say when a program died, ran out of time or broke its TAP plan.
"""
import json
import re
import sys

CASE = re.compile(r"(not )?ok\b\s*(\d*)\s*(?:- )?(.*)")


def allowed(path):
    with open(path) as lines:
        return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def cases(test):
    """(good, name, reason of a skip or None, what it printed after it) for each case of a program."""
    text = test.get("stdout") or ""
    if not re.search(r"^1\.\.\d+", text, re.M):
        good = test["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
        skip = text.strip() or "no reason given" if test["result"] == "SKIP" else None
        return [[good, "the program", skip, [] if good else text.splitlines()]]
    found = []
    for line in text.splitlines():
        case = CASE.match(line)
        if case:
            name, _, skip = case[3].partition(" # SKIP")
            found.append([not case[1], name, skip.strip() or "no reason given" if "# SKIP" in line else None, []])
        elif found:
            found[-1][3].append(line)
    if test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and all(good for good, *_ in found):
        found.append([False, f"the program itself: {test['result']}, status {test.get('returncode')}", None, []])
    return found


def main(log, skips):
    features = allowed(skips)
    passed, failed, skipped = 0, [], []
    try:
        with open(log) as lines:
            tests = [json.loads(line) for line in lines]
    except OSError as e:
        print(e)
        tests = []
    for test in tests:
        bad = False
        for good, name, skip, said in cases(test):
            name = f"{test['name']}: {name}"
            reason = skip and re.search(r"kernel lacks ([\w-]+)", skip)
            if good and skip and reason and reason[1] in features:
                skipped.append(f"{name}: kernel lacks {reason[1]}")
            elif good and not skip:
                passed += 1
            else:
                bad = True
                failed.append(name + (f": may not be skipped ({skip})" if skip else ""))
                print(f"\n== failed: {failed[-1]}", *said, sep="\n")
        if bad and test.get("stderr"):
            print(f"== {test['name']} on stderr:", *test["stderr"].splitlines()[-100:], sep="\n")
    for name in failed:
        print(f"failed: {name}")
    for name in skipped:
        print(f"skipped: {name}")
    if not passed and not failed:
        failed.append("no test ran")
    print(f"{passed} passed, {len(failed)} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
