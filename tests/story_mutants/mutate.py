#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mutate.py MUTANTS NUMBER FILE: prints FILE with the rule broken that this line of MUTANTS names (from 0)."""
import subprocess
import sys

path, number, source = sys.argv[1:]
with open(path) as file:
    lines = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
change = lines[int(number)][4]
sys.exit(subprocess.run(["perl", "-0pe", change + ' or die "nothing there to break\\n"', source], check=False).returncode)
