# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of a script, one after another; TAP."""
import contextlib
import sys
import tempfile
import time


def run(tests, directory=False):
    """`directory`: each gets one, which is gone afterwards. What a test returns stands beside its name. Does not return."""
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        name, start = test.__name__.replace("_", " "), time.monotonic()
        try:
            with tempfile.TemporaryDirectory() if directory else contextlib.nullcontext() as where:
                said = test(where) if directory else test()
            print(f"ok {number} - {name}" + (f": {said}" if said else ""), flush=True)
        except Exception as error:  # the next ones are worth a look, too
            failed += 1
            print(f"not ok {number} - {name}")
            message = f"{type(error).__name__}: {error} after {time.monotonic() - start:.1f}s"
            print("# " + message[:3000].replace("\n", "\n# "), flush=True)
    sys.exit(failed > 0)
