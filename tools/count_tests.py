# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts the cases in meson's JUnit file. A skip that skips.txt does not allow is a failure."""
import re
import sys
import xml.etree.ElementTree as xml


def allowed(path):
    with open(path) as lines:
        return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def main(junit, skips):
    passed = failed = skipped = 0
    features = allowed(skips)
    try:
        suites = xml.parse(junit).getroot().iter("testsuite")
    except (OSError, xml.ParseError) as e:
        print(f"no test results: {e}")
        suites = []
    for suite in suites:
        cases = suite.findall("testcase")
        bad = 0
        for case in cases:
            name = f"{suite.get('name')}: {case.get('name')}"
            skip = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                bad += 1
                print(f"failed: {name}")
            elif skip is not None:
                text = " ".join(filter(None, (case.get("name"), skip.get("message"), skip.text)))
                reason = re.search(r"kernel lacks ([\w-]+)", text)
                if reason and reason[1] in features:
                    skipped += 1
                    print(f"skipped: {name}: kernel lacks {reason[1]}")
                else:
                    bad += 1
                    print(f"failed: {name}: skipped, but skips.txt allows no such skip")
            else:
                passed += 1
        # A program that died or timed out after its last case says so only in the suite's own figures.
        if bad == 0 and int(suite.get("failures") or 0) + int(suite.get("errors") or 0) > 0:
            bad = 1
            print(f"failed: {suite.get('name')}: the program itself")
        failed += bad
    if passed + failed == 0:
        failed = 1
        print("failed: no test ran")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
