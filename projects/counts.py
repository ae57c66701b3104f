"""How much a project holds. The app that stores spans says so: this one must not import it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProjectCounts:
    """Of all time."""

    spans: int = 0
    traces: int = 0


Counter = Callable[[Sequence[UUID]], Mapping[UUID, ProjectCounts]]
_counter: Counter | None = None


def register(counter: Counter) -> None:
    """Called when the portal starts, by the app that knows; it takes the ids of all projects in question at once."""
    global _counter
    _counter = counter


def counts_of(project_ids: Sequence[UUID]) -> Mapping[UUID, ProjectCounts]:
    """Counts by project; one that holds nothing may be missing. Raises what the counter raises."""
    return _counter(project_ids) if _counter is not None and project_ids else {}
