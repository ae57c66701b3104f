"""The column `told`: what a span's attributes tell, found in one pass over them, whatever number of keys dialects know.

It maps numbers to texts. A number stands for a name (a column, or one of NAMES of dialects/base.py) and for some of its
keys; of several keys a span tells the first. Expressions of other columns look their texts up by number, which costs
an insert far less than to look for every key. It is stored, for ClickHouse would work a text that stands in many
expressions out anew for each of them.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from traces.store.dialects.base import Source, first_of, is_expression

COLUMN = "told"
TYPE = "Map(UInt8, String)"
_PLACES = 64  # keys that a number has room for


class Told:
    """names: name → its sources, best first. marks: names of which it only matters that a span has them: their texts,
    which may be long, are not kept.

    Raises ValueError when two names want the same key. An expression can read it for one of them.
    """

    def __init__(self, names: Mapping[str, Iterable[Source]], marks: Iterable[str] = ()) -> None:
        self._numbers: dict[str, list[int]] = {}
        self._sources: dict[str, list[Source]] = {}
        self._codes: dict[str, int] = {}
        self._count = 0
        marks = tuple(marks)
        for name in (*marks, *(name for name in names if name not in marks)):
            self._add(name, names.get(name, ()))
            if name in marks:
                self._first_text = (self._count + 1) * _PLACES

    def _add(self, name: str, sources: Iterable[Source]) -> None:
        self._numbers[name], self._sources[name] = [], []
        # Keys between two expressions share a number, so that all are asked in the order in which they are written.
        for calculated, some in groupby(dict.fromkeys(sources), is_expression):
            if calculated:
                self._sources[name] += some
            else:
                self._count += 1
                for place, key in enumerate(some):
                    if key in self._codes:
                        raise ValueError(f"{key} is a source of {name}, and of something else.")
                    self._codes[key] = self._count * _PLACES + place
                self._numbers[name].append(self._count)
                self._sources[name].append(f"({COLUMN}[{self._count}])")

    def sources(self, *names: str) -> list[Source]:
        return [source for name in names for source in self._sources.get(name, ())]

    def value(self, *names: str) -> str:
        """SQL: the first text that is not blank."""
        return first_of(self.sources(*names))

    def has_any(self, *names: str) -> str:
        """SQL condition: a span tells one of these. What is worked out does not count."""
        numbers = [str(number) for name in names for number in self._numbers.get(name, ())]
        return f"arrayExists(number -> number IN ({', '.join(numbers)}), mapKeys({COLUMN}))" if numbers else "false"

    def expression(self) -> str:
        keys, codes = ", ".join(f"'{key}'" for key in self._codes), list(self._codes.values())
        found = f"arrayMap(key -> transform(key, [{keys}], {codes}, toUInt16(0)), mapKeys(SpanAttributes))"
        pairs = (
            f"arrayMap((code, text) -> (code, if(code < {self._first_text} AND text != '', '1', text)), {found}, "
            "mapValues(SpanAttributes))"
        )
        known = f"arraySort(pair -> pair.1, arrayFilter(pair -> pair.1 > 0 AND pair.2 != '', {pairs}))"
        return f"CAST(arrayMap(pair -> (intDiv(pair.1, {_PLACES}), pair.2), {known}), '{TYPE}')"
