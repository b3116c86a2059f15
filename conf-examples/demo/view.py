# SPDX-License-Identifier: MIT
"""What people see of the demonstration: a timeline and, on a terminal, a table that stays below it.

The timeline scrolls; the table is erased and drawn again under its newest line.
"""

import os
import shutil
import time

_COLOURS = {"OK": "32", "WARNING": "33", "CRITICAL": "1;31", "UNKNOWN": "35"}


class View:
    """Writes to one stream; the clock of the timeline starts with the view."""

    def __init__(self, stream):
        self.live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._stream = stream
        self._colours = self.live and "NO_COLOR" not in os.environ
        self._begin = time.monotonic()
        self._table = []

    def title(self, text):
        """Announce a part of the demonstration."""
        self._draw(["", self._painted(text, "1")], self._table)

    def end(self, text, *lines):
        """Say a last word, without the table."""
        self._draw(["", self._painted(text, "1"), *lines], [])

    def event(self, text, state=""):
        """Add a line to the timeline; a state stands before the text, in its colour."""
        elapsed = time.monotonic() - self._begin
        word = self._painted(f"{state:<9}", _COLOURS[state]) + " " if state else ""
        self._draw([f"{elapsed:6.1f} s  {word}{text}"], self._table)

    def output(self, text):
        """Show what a program printed, below the event that tells of it."""
        self._draw([f"          {line}".rstrip() for line in text.splitlines()], self._table)

    def table(self, rows):
        """Show these rows of (state or heading, text) instead of the last ones, on a terminal only."""
        if not self.live:
            return
        width = shutil.get_terminal_size().columns
        lines = [""]
        for state, text in rows:
            line = f"  {state:<9} {text}"[:width - 1]
            colour = _COLOURS.get(state, "1")
            lines.append("  " + self._painted(line[2:11], colour) + line[11:])
        if lines != self._table:
            self._draw([], lines)

    def _draw(self, lines, table):
        erase = f"\033[{len(self._table)}A\033[J" if self._table else ""
        self._stream.write(erase + "".join(f"{line}\n" for line in [*lines, *table]))
        self._stream.flush()
        self._table = table

    def _painted(self, text, colour):
        return f"\033[{colour}m{text}\033[0m" if self._colours else text
