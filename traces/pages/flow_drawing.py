"""An agent flow as a picture: boxes and lines in the units of an SVG, with the traces behind each box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agentops_portal import formats
from traces.reading.agent_flow import CLIENT, AgentFlow, Calls, Stage, StageFigures
from traces.reading.flow_layout import Spot, layout

from .forms import LONGEST_TEXT
from .links import Links

WIDTH, HEIGHT = 208, 52  # of a box
GAP_X, GAP_Y = 84, 18
EDGE = 16
LONGEST_NAME = 25  # columns of a letter's width; East Asian letters take two

KIND_NAMES: Mapping[str, str | Promise] = {
    "client": gettext_lazy("Client"),
    "service": gettext_lazy("Service"),
    "workflow": gettext_lazy("Workflow"),
    "task": gettext_lazy("Task"),
    "agent": gettext_lazy("Agent"),
    "tool": gettext_lazy("Tool"),
    "retriever": gettext_lazy("Retriever"),
    "llm": gettext_lazy("Model"),
    "guardrail": gettext_lazy("Guardrail"),
}


@dataclass(frozen=True)
class Box:
    kind: str
    kind_name: str
    name: str
    short: str
    words: str  # calls and mean duration
    failed: str
    x: int
    y: int
    address: str


@dataclass(frozen=True)
class Arrow:
    path: str
    label: str
    label_x: int
    label_y: int
    title: str
    is_blocked: bool


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    kinds: Sequence[tuple[str, str]]  # those that are in it, with their names


def drawing(flow: AgentFlow, links: Links) -> Drawing:
    spots = layout(flow)
    places = {stage: _place(spot) for stage, spot in spots.items()}
    found = {str(stage.kind) for stage in spots}
    return Drawing(
        width=max((x for x, _y in places.values()), default=0) + WIDTH + 3 * EDGE,
        height=max((y for _x, y in places.values()), default=0) + HEIGHT + 2 * EDGE,
        boxes=[_box(stage, figures, places[stage], links) for stage, figures in flow.stages.items()],
        arrows=[
            _arrow(source, target, places, calls)
            for (source, target), calls in sorted(flow.calls.items(), key=lambda each: each[1].blocked)
        ],
        kinds=[(kind, str(name)) for kind, name in KIND_NAMES.items() if kind in found],
    )


def stage_name(stage: Stage) -> str:
    return _("Client request") if stage == CLIENT else stage.name


def stage_address(stage: Stage, links: Links) -> str:
    """What stands behind a stage: of a guardrail its runs, else the traces that name it."""
    if stage.kind == "guardrail":
        name, _bracket, mode = stage.name.removesuffix(")").rpartition(" (")
        return links.runs(guardrail=name, mode=mode) if name else links.runs(guardrail=stage.name)
    filters = {"agent": "agent", "llm": "model", "service": "service"}
    if stage.kind in filters:
        return links.traces(**{filters[stage.kind]: stage.name})
    return links.traces() if stage == CLIENT else links.traces(q=stage.name[:LONGEST_TEXT])


def _place(spot: Spot) -> tuple[int, int]:
    return EDGE + spot.layer * (WIDTH + GAP_X), EDGE + round(spot.row * (HEIGHT + GAP_Y))


def _box(stage: Stage, figures: StageFigures, place: tuple[int, int], links: Links) -> Box:
    calls = ngettext("%(number)s call", "%(number)s calls", figures.calls) % {"number": formats.count(figures.calls)}
    return Box(
        kind=stage.kind,
        kind_name=str(KIND_NAMES[stage.kind]),
        name=stage_name(stage),
        short=shortened(stage_name(stage)),
        words=f"{calls} · {formats.duration(round(figures.average_ns))}",
        failed=_("%(number)s failed") % {"number": formats.count(figures.errors)} if figures.errors else "",
        x=place[0],
        y=place[1],
        address=stage_address(stage, links),
    )


def _arrow(source: Stage, target: Stage, places: Mapping[Stage, tuple[int, int]], calls: Calls) -> Arrow:
    (x1, y1), (x2, y2) = places[source], places[target]
    title = _("%(source)s to %(target)s: %(calls)s calls, %(blocked)s blocked") % {
        "source": stage_name(source),
        "target": stage_name(target),
        "calls": formats.count(calls.calls),
        "blocked": formats.count(calls.blocked),
    }
    start_y, end_y = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    if x2 > x1:
        start, end = x1 + WIDTH, x2
        middle = (start + end) // 2 if end - start <= GAP_X else end - GAP_X // 2
        path = f"M{start} {start_y}C{middle} {start_y} {middle} {end_y} {end - 6} {end_y}"
        label = end - 12, end_y - 6
    else:  # back, or to itself: around the right of both
        right = max(x1, x2) + WIDTH + GAP_X // 3
        path = f"M{x1 + WIDTH} {start_y + 8}C{right} {start_y + 8} {right} {end_y - 8} {x2 + WIDTH + 6} {end_y - 8}"
        label = right, (start_y + end_y) // 2
    return Arrow(path, formats.count(calls.calls), *label, title, calls.blocked > 0)


def shortened(name: str) -> str:
    """What a box has room for."""
    used = 0
    kept: list[str] = []
    for letter in name:
        used += 2 if east_asian_width(letter) in "WF" else 1
        if used > LONGEST_NAME:
            return "".join(kept[:-1]) + "…"
        kept.append(letter)
    return name
