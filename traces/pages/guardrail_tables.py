"""Tables that apps above this one add to the guardrails page: what they know of guardrails, this one does not."""

from collections.abc import Callable

from .period import Period
from .tables import Table

_makers: list[Callable[[Period], Table | None]] = []


def register(maker: Callable[[Period], Table | None]) -> None:
    """Called when the portal starts. `maker` gives None when it has nothing to say of the range."""
    if maker not in _makers:
        _makers.append(maker)


def further_tables(period: Period) -> list[Table]:
    return [table for maker in _makers if (table := maker(period)) is not None]
