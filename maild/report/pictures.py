"""Pictures of a report as inline SVG: no script, nothing from elsewhere, each with its numbers in it and in words.

Colours are classes of the page's own style sheet, so that they follow a dark screen and a printer.
"""

from collections.abc import Iterable, Sequence
from html import escape

_BAR = (240, 14)
_CELL = (24, 20)
_LABEL = 34
_COLUMN = 46
_HEIGHT = 90
_STEPS = 5


def _svg(size: tuple[int, int], words: str, inside: Iterable[str]) -> str:
    width, height = size
    return (
        f'<svg role="img" aria-label="{escape(words)}" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><title>{escape(words)}</title>{"".join(inside)}</svg>'
    )


def bar(parts: Sequence[tuple[str, int]], most: int) -> str:
    """Draw one bar of parts in a row, each a tone and a count; `most` is the count that fills the width, at least 1."""
    width, height = _BAR
    x, drawn = 0.0, []
    for tone, count in parts:
        if count:
            long = max(width * count / most, 1.0)
            drawn.append(f'<rect class="{tone}" x="{x:.1f}" y="0" width="{long:.1f}" height="{height}"/>')
            x += long
    words = {"good": "met", "bad": "missed"}
    return _svg(_BAR, ", ".join(f"{count} {words[tone]}" for tone, count in parts), drawn)


def step(count: int, most: int) -> int:
    """Give the shade of a count, 0 for none and at most 5 for `most`."""
    return min(_STEPS, -(-count * _STEPS // most)) if count else 0


def columns(title: str, names: Sequence[str], counts: Sequence[int]) -> str:
    """Draw columns with their counts above and their names below. There is at least one count above 0."""
    most = max(counts)
    drawn = []
    for at, (name, count) in enumerate(zip(names, counts, strict=True)):
        high = round(_HEIGHT * count / most)
        x, middle, top = at * _COLUMN, at * _COLUMN + _COLUMN // 2, 16 + _HEIGHT - high
        drawn.append(
            f'<rect class="plain" x="{x + 6}" y="{top}" width="{_COLUMN - 12}" height="{high}"/>'
            f'<text x="{middle}" y="{top - 4}" text-anchor="middle">{count}</text>'
            f'<text x="{middle}" y="{_HEIGHT + 32}" text-anchor="middle">{escape(name)}</text>'
        )
    told = ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    return _svg((len(counts) * _COLUMN, _HEIGHT + 40), f"{title}. {told}", drawn)


def week(title: str, days: Sequence[str], hours: Sequence[Sequence[int]]) -> str:
    """Draw seven rows of 24 hours, shaded by their counts, which stand in them. There is at least one count above 0."""
    wide, high = _CELL
    most = max(map(max, hours))
    drawn = [
        f'<text x="{_LABEL + hour * wide + wide // 2}" y="12" text-anchor="middle">{hour:02}</text>'
        for hour in range(24)
    ]
    for row, (day, counts) in enumerate(zip(days, hours, strict=True)):
        y = 18 + row * high
        drawn.append(f'<text x="0" y="{y + 14}">{day}</text>')
        for hour, count in enumerate(counts):
            x = _LABEL + hour * wide
            shade = step(count, most)
            drawn.append(f'<rect class="heat{shade}" x="{x}" y="{y}" width="{wide - 2}" height="{high - 2}"/>')
            if count:
                drawn.append(
                    f'<text class="on{shade}" x="{x + wide // 2 - 1}" y="{y + 13}" text-anchor="middle">{count}</text>'
                )
    busiest = max(((count, day, hour) for day, row in zip(days, hours, strict=True) for hour, count in enumerate(row)))
    words = f"{title}. Most on {busiest[1]} from {busiest[2]:02}:00, {busiest[0]}"
    return _svg((_LABEL + 24 * wide, 18 + 7 * high), words, drawn)
