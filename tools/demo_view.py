# SPDX-License-Identifier: GPL-2.0-or-later
"""What the demo looks like: redrawn in place on a terminal, a line now and then anywhere else."""
import os
import re
import shutil
import sys
import textwrap
import time


def duration(seconds):
    """As people say it: 240 -> "4 min", 350 -> "5 min 50 s"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


class Screen:
    BAR = 20
    EVERY = 2  # seconds between two pictures where nothing can be redrawn

    def __init__(self):
        self.tty = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.colour = self.tty and "NO_COLOR" not in os.environ
        self.columns = shutil.get_terminal_size((80, 24)).columns if self.tty else 0
        self.width = min(100, max(80, self.columns))
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self.full, self.empty, self.rule = ("█", "░", "─") if unicode else ("#", ".", "-")
        self.drawn, self.last, self.shown, self.printed_at = 0, [], [], 0

    def paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def strong(self, text):
        return self.paint("1", text)

    def dim(self, text):
        return self.paint("2", text)

    def good(self, text):
        return self.paint("32", text)

    def warn(self, text):
        return self.paint("33", text)

    def bad(self, text):
        return self.paint("31", text)

    def name(self, text):
        return f"  {text:<32}"

    def title(self, left, right):
        return self.strong(f"{left:<34}{right}".rstrip())

    def bar(self, share):
        share = min(1, max(0, share))
        full = round(share * self.BAR)
        colour = "32" if share > 0.4 else "33" if share > 0.15 else "31"
        return self.paint(colour, self.full * full) + self.dim(self.empty * (self.BAR - full))

    def line(self, text=""):
        print(text, flush=True)

    def note(self, text):
        for line in textwrap.wrap(text, self.width):
            self.line(self.dim(line))

    def clip(self, line):
        """A line that the terminal would fold could not be drawn over."""
        if self.columns and len(re.sub(r"\x1b\[[0-9;]*m", "", line)) >= self.columns:
            return re.sub(r"\x1b\[[0-9;]*m", "", line)[:self.columns - 1]
        return line

    def draw(self, lines, moves=True):
        """The picture as it is now, in place of the one before. One that moves is shown now and then elsewhere too."""
        self.last = lines
        if self.tty:
            back = f"\x1b[?25l\x1b[{self.drawn}A" if self.drawn else "\x1b[?25l"
            sys.stdout.write(back + "".join(f"\r\x1b[2K{self.clip(line)}\n" for line in lines))
            sys.stdout.flush()
            self.drawn = len(lines)
        elif moves and time.monotonic() - self.printed_at >= self.EVERY:
            self.show(lines)

    def show(self, lines):
        self.printed_at, self.shown = time.monotonic(), lines
        print("\n".join(lines) + "\n", flush=True)

    def keep(self):
        """The picture stays; what follows goes below it."""
        if self.tty:
            sys.stdout.write("\x1b[?25h\n")
        elif self.last and self.last != self.shown:
            self.show(self.last)
        sys.stdout.flush()
        self.drawn, self.last, self.printed_at = 0, [], 0

    def stop(self):
        """Leaves the terminal as it was."""
        if self.tty:
            sys.stdout.write("\x1b[?25h\x1b[0m")
            sys.stdout.flush()

    def table(self, heads, rows):
        shares = (29, 17, 17, 11, 17)
        space = self.width - 2 * len(heads)
        widths = [space * s // sum(shares) for s in shares]

        def put(cells, style):
            folded = [textwrap.wrap(c, w) or [""] for c, w in zip(cells, widths)]
            for i in range(max(map(len, folded))):
                row = [f[i] if i < len(f) else "" for f in folded]
                self.line("  " + style("  ".join(f"{c:<{w}}" for c, w in zip(row, widths)).rstrip()))

        put(heads, self.strong)
        self.line("  " + self.dim("  ".join(self.rule * w for w in widths)))
        for i, row in enumerate(rows):
            if i:
                self.line()
            put(row, str)
