# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a page of OpenMetrics 1.0 and refuses whatever draft-richih-opsawg-openmetrics-00 does not allow."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)\Z")
# Types of section 5, and what a sample's name has after its family's.
SUFFIXES = {"gauge": ("",), "counter": ("_total", "_created"), "info": ("_info",), "unknown": ("",),
            "histogram": ("_bucket", "_count", "_sum", "_created")}
UNESCAPE = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


class Wrong(Exception):
    """The page is not OpenMetrics."""


class Family:
    def __init__(self, name):
        self.name, self.type, self.unit, self.help = name, None, None, None
        self.samples = {}  # (name, ((label, value), ...)) -> float, in order


def demand(condition, number, why):
    if not condition:
        raise Wrong(f"line {number}: {why}")


def descriptor(family, word, rest, number):
    demand(not family.samples, number, f"{word} behind the samples of {family.name}")
    if word == "TYPE":
        demand(family.type is None, number, "a second TYPE")
        demand(rest in SUFFIXES, number, f"no such type: {rest!r}")
        family.type = rest
    elif word == "UNIT":
        demand(family.unit is None, number, "a second UNIT")
        demand(rest and family.name.endswith("_" + rest), number, f"{family.name} does not end with its unit {rest!r}")
        family.unit = rest
    else:
        demand(family.help is None, number, "a second HELP")
        demand(re.fullmatch(r'(?:[^\\\n]|\\[\\n"])*', rest), number, "an escape in HELP that there is not")
        family.help = rest


def labels_of(text, number):
    found, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        demand(match, number, f"not a label: {text[at:]!r}")
        found.append((match[1], re.sub(r'\\["\\n]', lambda m: UNESCAPE[m[0]], match[2])))
        at = match.end()
        if at < len(text):
            demand(text[at] == "," and at + 1 < len(text), number, f"no comma between labels: {text[at:]!r}")
            at += 1
    demand(len({k for k, _ in found}) == len(found), number, "a label twice")
    return tuple(found)


def sample(line, number):
    match = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})? (\S+)", line)
    demand(match, number, f"not a sample: {line!r}")
    demand(NUMBER.match(match[3]), number, f"not a number: {match[3]!r}")
    return match[1], labels_of(match[2] or "", number), float(match[3])


def check_histogram(family):
    groups = {}
    for (name, labels), value in family.samples.items():
        others = tuple(l for l in labels if l[0] != "le")
        groups.setdefault(others, {}).setdefault(name[len(family.name):], []).append((dict(labels).get("le"), value))
    for others, group in groups.items():
        buckets = group.get("_bucket", [])
        bounds = [float(le) for le, _ in buckets]
        counts = [count for _, count in buckets]
        if not buckets or buckets[-1][0] != "+Inf":
            raise Wrong(f"{family.name}{others}: no bucket +Inf at the end")
        if bounds != sorted(set(bounds)):
            raise Wrong(f"{family.name}{others}: bounds not ascending: {bounds}")
        if counts != sorted(counts) or any(c != int(c) for c in counts):
            raise Wrong(f"{family.name}{others}: buckets not cumulative: {counts}")
        for le, _ in buckets:
            if le != "+Inf" and not re.fullmatch(r"\d+\.\d+(?:e[+-]\d+)?", le):
                raise Wrong(f"{family.name}: le={le!r} is not in canonical form")
        if bool(group.get("_count")) != bool(group.get("_sum")):
            raise Wrong(f"{family.name}: _count without _sum or the other way")
        if group["_count"][0][1] != counts[-1]:
            raise Wrong(f"{family.name}: _count is not the bucket +Inf")


def check_value(family, name, value, labels, number):
    if family.type == "counter" or family.type == "histogram" and not name.endswith("_sum"):
        demand(value >= 0 and not math.isnan(value) and value != math.inf, number, f"a count of {value}")
    if family.type == "info":
        demand(value == 1, number, "an info that is not 1")
        demand(labels, number, "an info that says nothing")
    has_le = any(k == "le" for k, _ in labels)
    demand(has_le == name.endswith("_bucket"), number, "le belongs to buckets, and only there")


def parse(text):
    """The families by name; raises Wrong."""
    if not text.endswith("# EOF\n"):
        raise Wrong("the page does not end with # EOF and a line feed")
    families, family = {}, None
    for number, line in enumerate(text[:-len("# EOF\n")].split("\n")[:-1], 1):
        demand(line and line == line.rstrip(), number, "an empty line, or spaces at the end")
        if line.startswith("#"):
            match = re.fullmatch(r"# (TYPE|UNIT|HELP) (\S+) (.*)", line)
            demand(match and NAME.match(match[2]), number, f"neither TYPE, UNIT nor HELP: {line!r}")
            if family is None or match[2] != family.name:
                demand(match[2] not in families, number, f"{match[2]} comes a second time: families may not be interleaved")
                family = families[match[2]] = Family(match[2])
            descriptor(family, match[1], match[3], number)
            continue
        name, labels, value = sample(line, number)
        demand(family is not None and family.type, number, f"{name} without a TYPE before it")
        demand(name in [family.name + s for s in SUFFIXES[family.type]], number,
               f"{name} is no sample of the {family.type} {family.name}")
        demand((name, labels) not in family.samples, number, f"{name}{labels} a second time")
        check_value(family, name, value, labels, number)
        family.samples[name, labels] = value
    clash = {f + s for f in families for s in SUFFIXES[families[f].type or "unknown"] if s} & set(families)
    if clash:
        raise Wrong(f"a family is named like the samples of another: {clash}")
    for one in families.values():
        if one.type is None or one.help is None:
            raise Wrong(f"{one.name} lacks TYPE or HELP")
        if one.type == "histogram":
            check_histogram(one)
    return families


def value_of(families, family, **labels):
    """The sum of a family's samples (or of a histogram's series) that have these labels."""
    suffix = labels.pop("suffix", None)
    return sum(v for (name, has), v in families[family].samples.items()
               if (suffix is None or name == family + suffix) and labels.items() <= dict(has).items())
