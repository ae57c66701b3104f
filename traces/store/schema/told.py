"""The column `told`: what a span's attributes tell, found in one pass over them, whatever number of keys dialects know.

It maps numbers to texts. A number stands for a name (a column, or one of NAMES or WORDS of dialects/base.py) and for
some of its keys; of several keys a span tells the first. Expressions of other columns look their texts up by number,
which costs an insert far less than to look for every key. It is stored, for ClickHouse would work a text that stands in
many expressions out anew for each of them.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby

from traces.store.dialects.base import ANY, Source, first_of, is_expression

COLUMN = "told"
TYPE = "Map(UInt16, String)"
_PLACES = 64  # keys that a number has room for
_PLAIN = re.compile(r"[^'\\]+")  # what can stand in SQL as it is
_TOLD = re.compile(r"told\('(\w+)'\)")
Words = Mapping[str, Mapping[str, str]]  # attribute → {its value, lower case, or ANY: what it means}


class Told:
    """names: name → its sources, best first. words: name → attributes of which a few words count, whichever of a
    name's says them; any other is as if it were not there. meanings: name of words → the SQL of what any other
    word means, of the SQL `text`. marks: names of which it only matters that a span has them: their texts, which may be
    long, are not kept. counts: names whose texts are counts, which are made whole.

    Raises ValueError when two names want the same key: an expression can read it for one of them.
    """

    def __init__(
        self,
        names: Mapping[str, Iterable[Source]],
        words: Mapping[str, Words] | None = None,
        meanings: Mapping[str, str] | None = None,
        marks: Iterable[str] = (),
        counts: Iterable[str] = (),
    ) -> None:
        self._numbers: dict[str, list[int]] = {}
        self._sources: dict[str, list[Source]] = {}
        self._codes: dict[str, int] = {}
        self._count = 0
        self._words = {key: meanings for keys in (words or {}).values() for key, meanings in keys.items()}
        self._meanings = dict(meanings or {})
        marks, counts = tuple(marks), tuple(counts)
        for name in marks:
            self._add(name, names.get(name, ()))
        self._first_word = self._count + 1
        for name, keys in (words or {}).items():
            self._add(name, keys)
        self._first_count = self._count + 1
        for name in counts:
            self._add(name, names.get(name, ()))
        self._first_text = self._count + 1
        for name in (name for name in names if name not in (*marks, *counts)):
            self._add(name, names[name])

    def _add(self, name: str, sources: Iterable[Source]) -> None:
        self._numbers[name], self._sources[name] = [], []
        # Keys between two expressions share a number, so that all are asked in the order in which they are written.
        for calculated, some in groupby(dict.fromkeys(sources), is_expression):
            if calculated:
                self._sources[name] += some
            else:
                self._count += 1
                for place, key in enumerate(some):
                    if key in self._codes or place == _PLACES or not _PLAIN.fullmatch(key):
                        raise ValueError(f"{key!r} cannot be a source of {name}.")
                    self._codes[key] = self._count * _PLACES + place
                self._numbers[name].append(self._count)
                self._sources[name].append(f"({COLUMN}[{self._count}])")

    def sources(self, *names: str) -> list[Source]:
        return [source for name in names for source in self._sources.get(name, ())]

    def value(self, *names: str) -> str:
        """SQL: the first text that is not blank."""
        return first_of(self.sources(*names))

    def entity(self) -> str:
        """SQL: the name of what a span states to be: as clients say it, else the span's."""
        return first_of([*self.sources("entity"), "(SpanName)"])

    def has_any(self, *names: str) -> str:
        """SQL condition: a span tells one of these. What is worked out does not count."""
        return f"hasAny(mapKeys({COLUMN}), {self.numbers(*names)})"

    def filled(self, expression: str) -> str:
        """The expression with the SQL of the text in the place of each told('name')."""
        return _TOLD.sub(lambda match: self.value(match[1]), expression)

    def numbers(self, *names: str) -> list[int]:
        return [number for name in names for number in self._numbers.get(name, ())]

    def expression(self) -> str:
        keys, codes = _texts(self._codes), list(self._codes.values())
        coded = f"mapApply((key, text) -> (transform(key, {keys}, {codes}, toUInt16(0)), text), SpanAttributes)"
        known = f"mapSort((code, text) -> code, mapFilter((code, text) -> code > 0, {coded}))"
        word, count, first_text = (each * _PLACES for each in (self._first_word, self._first_count, self._first_text))
        text = (
            f"multiIf(text = '' OR code >= {first_text}, text, code >= {count}, {whole('text')}, "
            f"code >= {word}, {self._meaning()}, '1')"
        )
        told = f"mapApply((code, text) -> (intDiv(code, {_PLACES}), {text}), {known})"
        return f"mapFilter((code, text) -> text != '', {told})"

    def _meaning(self) -> str:
        """SQL: what a word of an attribute means, '' for one that means nothing."""
        if not self._words:
            return "''"
        meanings: dict[str, str] = {}
        always: dict[int, str] = {}
        for key, words in self._words.items():
            code = self._codes[key]
            for word, meaning in words.items():
                if word == ANY:
                    always[code] = meaning
                else:  # whichever attribute of the name says it: the shorter the list, the cheaper an insert
                    meanings.setdefault(f"{code // _PLACES} {word}", meaning)
        other = f"transform(code, {list(always)}, {_texts(always.values())}, '')" if always else "''"
        by_name = [f"number IN {self.numbers(name)}, {meaning}" for name, meaning in self._meanings.items()]
        if by_name:
            other = f"multiIf({', '.join(by_name)}, {other})".replace("number", f"intDiv(code, {_PLACES})")
        said = f"concat(toString(intDiv(code, {_PLACES})), ' ', lower(text))"
        return f"transform({said}, {_texts(meanings)}, {_texts(meanings.values())}, {other})"


def _texts(texts: Iterable[str]) -> str:
    quoted = (f"'{text}'" for text in texts)
    return f"[{', '.join(quoted)}]"


def whole(text: str) -> str:
    """SQL: the text of a count that a client wrote, as a whole number or not, with blanks around it or not; 0 for what
    is none.
    """
    # NaN, what is negative and what no UInt64 holds are none.
    return f"toString(accurateCastOrDefault(floor(toFloat64OrZero(trimBoth({text}))), 'UInt64'))"
