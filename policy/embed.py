#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes shipped texts as one C file: embed.py OUTPUT HEADER NAME FILE...; NAME is their struct and array."""
import os
import sys


def shipped_name(path):
    return os.path.splitext(os.path.basename(path))[0]


def main():
    output, header, name = sys.argv[1:4]
    paths = sorted(sys.argv[4:], key=shipped_name)
    rows = []
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "%s"\n' % header)
        for i, path in enumerate(paths):
            with open(path, "rb") as f:
                data = f.read()
            # Numbers, because ISO C promises only 4095 characters in a string literal.
            lines = [", ".join(map(str, data[k:k + 24])) for k in range(0, len(data), 24)]
            out.write("static const char text_%d[] = {\n%s,\n0};\n" % (i, ",\n".join(lines)))
            rows.append('{"%s", text_%d, %d},\n' % (shipped_name(path), i, len(data)))
        out.write("const struct %s %s[] = {\n%s};\n" % (name, name, "".join(rows)))
        out.write("const size_t %s_count = %d;\n" % (name, len(rows)))


main()
