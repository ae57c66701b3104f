"""`{% sparkline values %}`: the way of a figure as a small line, drawn on the server."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

WIDTH, HEIGHT, EDGE = 100, 28, 2

Point = tuple[float, float]


@register.simple_tag
def sparkline(values: Sequence[float | None]) -> SafeString | str:
    """An <svg>, silent for screen readers: the same numbers stand in tables. Nothing for fewer than two values.

    None is a gap. The line begins at 0, so that a small change does not look like a large one.
    """
    if len(values) < 2 or not any(values):
        return ""
    lines = list(_lines(values))
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}{}</svg>',
        WIDTH,
        HEIGHT,
        format_html_join("", '<path class="sparkline-area" d="{}"/>', ((_area(line),) for line in lines)),
        format_html_join("", '<path class="sparkline-line" d="{}"/>', ((_path(line),) for line in lines)),
    )


def _lines(values: Sequence[float | None]) -> Iterator[list[Point]]:
    """The stretches without a gap; a lonely value becomes a short line, for a point is not seen."""
    top = max(value for value in values if value is not None)
    step = WIDTH / (len(values) - 1)
    for is_gap, group in groupby(enumerate(values), key=lambda each: each[1] is None):
        if is_gap:
            continue
        line = [(index * step, _height(value or 0.0, top)) for index, value in group]
        if len(line) == 1:
            [(x, y)] = line
            line = [(max(x - step / 3, 0), y), (min(x + step / 3, WIDTH), y)]
        yield line


def _height(value: float, top: float) -> float:
    return HEIGHT - EDGE - value / top * (HEIGHT - 2 * EDGE)


def _path(line: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line)


def _area(line: Sequence[Point]) -> str:
    return f"{_path(line)}L{line[-1][0]:.1f} {HEIGHT}L{line[0][0]:.1f} {HEIGHT}Z"
