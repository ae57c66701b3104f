"""Which spans a duration is made of: small trees by hand, and the rules for any tree."""

import time
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from traces.reading.critical_path import critical_path
from traces.reading.tree import span_tree


@dataclass(frozen=True)
class Span:
    span_id: str
    parent_span_id: str
    start_ns: int
    end_ns: int


def path_of(*spans: Span) -> dict[str, int]:
    """Id → own time on the path, in the order of the path."""
    nodes = span_tree(sorted(spans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id)))
    return {nodes[position].span.span_id: own for position, own in critical_path(nodes).items()}


def test_a_lone_span_is_the_path() -> None:
    assert path_of(Span("a", "", 0, 10)) == {"a": 10}


def test_no_time_counts_for_parent_and_child() -> None:
    # Sums of parents and children would prefer the deep chain: 100 + 40 + 40 + 40 against 100 + 90.
    chain = [Span("x", "root", 0, 40), Span("xx", "x", 0, 40), Span("xxx", "xx", 0, 40)]

    assert path_of(Span("root", "", 0, 100), *chain, Span("long", "root", 10, 100)) == {"root": 0, "x": 0} | {
        "xx": 0,
        "xxx": 10,
        "long": 90,
    }


def test_children_that_follow_each_other_are_all_on_it() -> None:
    path = path_of(Span("root", "", 0, 100), Span("one", "root", 10, 40), Span("two", "root", 50, 90))

    assert path == {"root": 10 + 10 + 10, "one": 30, "two": 40}


def test_of_children_side_by_side_the_one_that_ends_last_is_on_it() -> None:
    path = path_of(Span("root", "", 0, 100), Span("short", "root", 0, 60), Span("long", "root", 0, 100))

    assert path == {"root": 0, "long": 100}


def test_of_children_that_end_together_the_longer_one_is_on_it() -> None:
    assert path_of(Span("root", "", 0, 9), Span("late", "root", 5, 9), Span("early", "root", 1, 9)) == {
        "root": 1,
        "early": 8,
    }


def test_a_child_that_was_running_when_the_last_one_began_is_on_it_until_then() -> None:
    path = path_of(Span("root", "", 0, 100), Span("first", "root", 0, 60), Span("second", "root", 40, 100))

    assert path == {"root": 0, "first": 40, "second": 60}


def test_work_that_outlives_its_parent_is_on_it() -> None:
    path = path_of(Span("root", "", 0, 10), Span("job", "root", 8, 50))

    assert path == {"root": 8, "job": 42}


def test_time_in_which_nothing_ran_is_nobodys() -> None:
    assert path_of(Span("a", "", 0, 10), Span("b", "", 30, 50)) == {"a": 10, "b": 20}


def test_a_child_that_starts_before_its_parent_takes_its_parents_place() -> None:
    path = path_of(Span("root", "", 0, 30), Span("call", "root", 10, 30), Span("guard", "call", 5, 12))

    assert path == {"root": 5, "guard": 7, "call": 18}


def test_orphans_are_roots() -> None:
    assert path_of(Span("root", "", 0, 20), Span("orphan", "gone", 20, 70)) == {"root": 20, "orphan": 50}


def test_a_circle_of_parents_ends() -> None:
    assert sum(path_of(Span("a", "b", 0, 10), Span("b", "a", 2, 8)).values()) == 10
    assert path_of(Span("a", "a", 0, 10)) == {"a": 10}


def test_spans_without_any_duration_have_their_first_as_path() -> None:
    assert path_of(Span("a", "", 5, 5), Span("b", "a", 5, 5)) == {"a": 0}
    assert critical_path([]) == {}


def test_an_end_before_the_start_is_no_duration() -> None:
    assert path_of(Span("root", "", 0, 10), Span("odd", "root", 5, 1)) == {"root": 10}


def test_deep_and_wide_traces_take_no_time() -> None:
    count = 20_000
    deep = [Span(str(n), str(n - 1) if n else "", n, 2 * count - n) for n in range(count)]
    wide = [Span("root", "", 0, count + 1), *(Span(f"c{n}", "root", n, count - n % 7) for n in range(count))]

    started = time.perf_counter()
    assert len(path_of(*deep)) == count
    assert sum(path_of(*wide).values()) == count + 1
    assert time.perf_counter() - started < 20  # n² would take minutes


spans_anywhere = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12
).map(
    lambda rows: [
        Span(str(number), str(parent) if parent < len(rows) else "", start, start + length)
        for number, (parent, start, length) in enumerate(rows)
    ]
)


def covered(spans: list[Span]) -> int:
    """How many units of time at least one span was running."""
    return len({moment for span in spans for moment in range(span.start_ns, span.end_ns)})


@given(spans_anywhere)
def test_own_times_never_exceed_the_time_in_which_anything_ran(spans: list[Span]) -> None:
    path = path_of(*spans)

    assert path
    assert sum(path.values()) <= covered(spans)
    assert all(own >= 0 for own in path.values())


@st.composite
def nested_spans(draw: st.DrawFn) -> list[Span]:
    """Spans that lie within their parents, below one root."""
    spans = [Span("0", "", 0, 60)]
    for number in range(1, draw(st.integers(1, 10))):
        parent = spans[draw(st.integers(0, number - 1))]
        start = draw(st.integers(parent.start_ns, parent.end_ns))
        spans.append(Span(str(number), parent.span_id, start, draw(st.integers(start, parent.end_ns))))
    return spans


@given(nested_spans())
def test_own_times_add_up_to_the_duration_where_children_lie_within_their_parents(spans: list[Span]) -> None:
    path = path_of(*spans)

    assert sum(path.values()) == 60
    assert "0" in path


@given(nested_spans())
def test_the_parents_of_a_span_on_the_path_are_on_it(spans: list[Span]) -> None:
    path = path_of(*spans)
    parents = {span.span_id: span.parent_span_id for span in spans}

    assert all(parents[each] in path for each in path if parents[each])
