"""How much of a page may go into reading texts as values.

Each text is read in linear time, but a span may have 100,000 of them, a trace 10,000 spans, and a list 1,000 traces.
Within `limited()` all of them share STEPS; what is over stays text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STEPS = 600_000  # a second of work at the worst; see decode.py for what takes how many

# In a list, so that what works for a request on another thread spends of the same.
_left: ContextVar[list[int] | None] = ContextVar("steps left", default=None)


@contextmanager
def limited(steps: int = STEPS) -> Iterator[None]:
    """What is decoded within shares `steps`; within another `limited` block, that one's."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([steps])
    try:
        yield
    finally:
        _left.reset(token)


def left() -> int:
    """Outside of `limited` always all: exports decode row by row, however many."""
    steps = _left.get()
    return STEPS if steps is None else steps[0]


def spend(steps: int) -> bool:
    """Whether there was so much left; what is left otherwise is kept for smaller texts."""
    if left() < steps:
        return False
    shared = _left.get()
    if shared is not None:
        shared[0] -= steps
    return True
