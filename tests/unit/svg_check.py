# SPDX-License-Identifier: GPL-2.0-or-later
"""Standard input is a picture that stands alone: well-formed, of known size, without scripts or
references to anything outside, in generic fonts; no two texts lie on each other, and none outside.
Prints what is wrong. Widths are those of DejaVu, the widest of the usual fonts."""

import re
import sys
import xml.etree.ElementTree as ET

SANS = [318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636,
        636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698,
        770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732,
        684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635,
        634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,
        525, 636, 337, 636, 838]
BOLD = [348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696,
        696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734,
        830, 683, 683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812,
        774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716,
        712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652,
        582, 712, 365, 712, 838]
NS = "{http://www.w3.org/2000/svg}"
KNOWN = {"svg", "title", "g", "defs", "pattern", "rect", "line", "path", "circle", "text"}


def width(text, family, size, bold):
    total = 0
    for c in text:
        if family == "monospace":
            total += 602 if ord(c) < 0x1100 or 0x2000 <= ord(c) < 0x2e80 else 1000
        elif " " <= c <= "~":
            total += (BOLD if bold else SANS)[ord(c) - 32]
        else:
            total += 1000 if ord(c) >= 0x2000 else 690
    return total * size / 1000


def box(text, turned):
    """Of the letters without the air around them; turned: by a quarter about x, y."""
    size = float(text.get("font-size"))
    x, y = float(text.get("x")), float(text.get("y"))
    w = width(text.text or "", text.get("font-family"), size, text.get("font-weight") == "bold")
    left = {"middle": x - w / 2, "end": x - w}.get(text.get("text-anchor"), x)
    if turned:
        return (x - 0.72 * size, y - w / 2, x + 0.18 * size, y + w / 2)
    return (left, y - 0.72 * size, left + w, y + 0.18 * size)


def texts(element, turned=False):
    turned = turned or "rotate(-90" in element.get("transform", "")
    for child in element:
        if child.tag == NS + "text":
            yield child, turned
        yield from texts(child, turned)


def check(data):
    root = ET.fromstring(data)
    if root.tag != NS + "svg":
        yield "no svg"
        return
    if not (root.get("width") and root.get("height") and root.get("viewBox")):
        yield "no size"
    w, h = (float(v) for v in root.get("viewBox").split()[2:])
    for element in root.iter():
        if element.tag.replace(NS, "") not in KNOWN:
            yield f"a {element.tag.replace(NS, '')}"
        for name, value in element.attrib.items():
            if name.startswith("on") or "href" in name or name == "style":
                yield f"attribute {name}"
            if "url(" in value and not re.fullmatch(r"url\(#[a-z]+\)", value):
                yield f"refers to {value}"
            if value in ("nan", "inf", "-nan", "-inf") or "nan " in value:
                yield f"{name} is {value}"
    boxes = []
    for text, turned in texts(root):
        if text.get("font-family") not in ("sans-serif", "monospace"):
            yield f"font {text.get('font-family')}"
        b = box(text, turned)
        if b[0] < -0.5 or b[1] < -0.5 or b[2] > w + 0.5 or b[3] > h + 0.5:
            yield f"outside: {text.text!r} at {b}"
        boxes.append((b, text.text))
    boxes.sort(key=lambda item: item[0][1])
    for i, (a, what) in enumerate(boxes):
        for b, other in boxes[i + 1:]:
            if b[1] >= a[3]:
                break
            if a[0] < b[2] and b[0] < a[2]:
                yield f"{what!r} lies on {other!r} at y {a[1]:.0f} and {b[1]:.0f}"


def main():
    try:
        wrong = list(check(sys.stdin.buffer.read()))
    except ET.ParseError as fault:
        wrong = [f"not well-formed: {fault}"]
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
