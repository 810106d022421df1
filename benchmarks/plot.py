"""A picture of figures that grow: SVG, with nothing that has to be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import Final

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 45
_COLOURS: Final = ("#1b6ca8", "#c0392b", "#2e7d32", "#7b4fa3", "#b8860b")
Point = tuple[float, float]


def plot(
    path: Path, title: str, across: str, series: Mapping[str, Sequence[Point]]
) -> None:
    """Write the picture; both axes are logarithmic, and a line is straight there."""
    points = [point for each in series.values() for point in each]
    xs, ys = [log10(x) for x, _ in points], [log10(y) for _, y in points]
    least, most = int(min(ys) // 1), int(-(-max(ys) // 1))
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    first, last = min(xs), max(xs)

    def place(x: float, y: float) -> Point:
        return (
            _LEFT + wide * (log10(x) - first) / (last - first),
            _TOP + high * (most - log10(y)) / max(1, most - least),
        )

    drawn = [_text(_LEFT, 20, title, 15), _text(_LEFT, _HEIGHT - 8, across, 12)]
    for power in range(least, most + 1):
        _, down = place(10**first, 10.0**power)
        drawn.append(_line([(_LEFT, down), (_LEFT + wide, down)], "#ccc", 1))
        drawn.append(_text(6, down + 4, f"{10.0**power:,.6g}", 11))
    for x in sorted({x for x, _ in points}):
        right, _ = place(x, 10.0**least)
        drawn.append(_text(right - 14, _TOP + high + 16, f"{x:,.0f}", 11))
    for colour, (name, line) in zip(_COLOURS, series.items(), strict=False):
        placed = [place(*point) for point in line]
        drawn.append(_line(placed, colour, 2))
        drawn += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in placed
        ]
        drawn.append(_text(placed[-1][0] + 8, placed[-1][1] + 4, name, 11, colour))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _line(points: Sequence[Point], colour: str, width: int) -> str:
    listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{listed}" fill="none" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )


def _text(x: float, y: float, text: str, size: int, colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
