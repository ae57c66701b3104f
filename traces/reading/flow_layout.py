"""Where the stages of an agent flow are drawn: in layers from the first caller on, with few lines that cross.

After Sugiyama: calls that lead back are left aside, a stage stands behind all that call it, and in its layer near the
middle of its neighbours. https://en.wikipedia.org/wiki/Layered_graph_drawing
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .agent_flow import AgentFlow, Stage

SWEEPS = 8  # after a few nothing moves any more

Lines = Mapping[Stage, Sequence[Stage]]


@dataclass(frozen=True)
class Spot:
    """A place in the grid: `row` counts from the top, and is half of one where layers are centred."""

    layer: int
    row: float


def layout(flow: AgentFlow) -> dict[Stage, Spot]:
    """Of every stage; at most as many as a flow holds (MAX_STAGES)."""
    targets = _forward(flow)
    layers = _layers(flow, targets)
    rows: dict[int, list[Stage]] = defaultdict(list)
    for stage in sorted(flow.stages, key=lambda each: (each.kind, -flow.stages[each].calls, each.name)):
        rows[layers[stage]].append(stage)
    ordered = _untangled([rows[number] for number in sorted(rows)], targets)
    tallest = max(map(len, ordered), default=0)
    return {
        stage: Spot(number, index + (tallest - len(stages)) / 2)
        for number, stages in enumerate(ordered)
        for index, stage in enumerate(stages)
    }


def _forward(flow: AgentFlow) -> dict[Stage, list[Stage]]:
    """Who calls whom, without the calls that lead back to a stage further up."""
    called: dict[Stage, list[Stage]] = defaultdict(list)
    for source, target in flow.calls:
        called[source].append(target)
    forward: dict[Stage, list[Stage]] = {stage: [] for stage in flow.stages}
    done: set[Stage] = set()
    entries = [stage for stage, figures in flow.stages.items() if figures.is_entry]
    for start in (*entries, *flow.stages):
        if start not in done:
            _walk(start, called, forward, done)
    return forward


def _walk(start: Stage, called: Lines, forward: Mapping[Stage, list[Stage]], done: set[Stage]) -> None:
    """Depth first, without recursion: what leads to a stage on the path leads back."""
    path = [(start, iter(called[start]))]
    above = {start}
    while path:
        stage, following = path[-1]
        for target in following:
            if target in above:
                continue
            forward[stage].append(target)
            if target not in done:
                above.add(target)
                path.append((target, iter(called[target])))
                break
        else:
            path.pop()
            above.discard(stage)
            done.add(stage)


def _layers(flow: AgentFlow, targets: Lines) -> dict[Stage, int]:
    """The most calls that lead to a stage."""
    callers = dict.fromkeys(flow.stages, 0)
    for called in targets.values():
        for target in called:
            callers[target] += 1
    layer = dict.fromkeys(flow.stages, 0)
    ready = [stage for stage, count in callers.items() if not count]
    for stage in ready:
        for target in targets[stage]:
            layer[target] = max(layer[target], layer[stage] + 1)
            callers[target] -= 1
            if not callers[target]:
                ready.append(target)
    return layer


def _untangled(layers: list[list[Stage]], targets: Lines) -> list[list[Stage]]:
    """Each layer in the order of the means of its neighbours' heights, from the front and from the back in turn."""
    sources: dict[Stage, list[Stage]] = defaultdict(list)
    for source, called in targets.items():
        for target in called:
            sources[target].append(source)
    height = {stage: index - len(layer) / 2 for layer in layers for index, stage in enumerate(layer)}
    for sweep in range(SWEEPS):
        lines: Lines = targets if sweep % 2 else sources
        for layer in reversed(layers) if sweep % 2 else layers:
            layer.sort(key=lambda stage: _mean((height[each] for each in lines.get(stage, ())), height[stage]))
            height |= {stage: index - len(layer) / 2 for index, stage in enumerate(layer)}
    return layers


def _mean(values: Iterable[float], default: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else default
