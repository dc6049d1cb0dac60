#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the shipped profiles as one C file: embed_profiles.py OUTPUT PROFILE.conf..."""
import os
import sys


def main():
    output, paths = sys.argv[1], sorted(sys.argv[2:], key=lambda p: os.path.basename(p)[:-5])
    rows = []
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "policy/policy_parse.h"\n')
        for i, path in enumerate(paths):
            with open(path, "rb") as f:
                data = f.read()
            # Numbers, because ISO C promises only 4095 characters in a string literal.
            lines = [", ".join(map(str, data[k:k + 24])) for k in range(0, len(data), 24)]
            out.write("static const char text_%d[] = {\n%s,\n0};\n" % (i, ",\n".join(lines)))
            rows.append('{"%s", text_%d, %d},\n' % (os.path.basename(path)[:-5], i, len(data)))
        out.write("const struct policy_shipped policy_shipped[] = {\n%s};\n" % "".join(rows))
        out.write("const size_t policy_shipped_count = %d;\n" % len(rows))


main()
