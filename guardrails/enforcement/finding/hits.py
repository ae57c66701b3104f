"""What all finders give, and how they look for candidates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import re2

_SILENT: Final = re2.Options()
_SILENT.log_errors = False
_SILENT.max_mem = 8 << 20


class Hit(NamedTuple):
    """The characters [start, end) of a text, and what they are."""

    start: int
    end: int
    kind: str


Finder = Callable[[str], Iterator[Hit]]


def compiled(pattern: str) -> "re2._Regexp":
    """Raises re2.error, which says what RE2 does not take."""
    return re2.compile(pattern, options=_SILENT)


def words_at(pattern: str) -> Callable[[str], Iterator[tuple[int, int, str]]]:
    """Candidates as (start, end, text) that no letter or digit touches: a number inside of a longer one is another."""
    regexp = compiled(pattern)

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in regexp.finditer(text):
            start, end = match.span()
            if not (continues(text, start - 1) or continues(text, end)):
                yield start, end, match.group()

    return find


def continues(text: str, at: int) -> bool:
    """Korean particles follow a number without a blank, so only ASCII continues one; `_` is Markdown's emphasis."""
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalnum()


# Letters, digits and signs of full width, and blanks that are none, as their plain ones: each is one character, so that
# places stay the same.
_PLAIN: Final = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | dict.fromkeys(
    (0xA0, 0x2007, 0x202F, 0x3000), 0x20
)


# What nobody sees within a word: soft hyphen, blanks without width and what joins or divides letters.
_UNSEEN: Final = compiled("[\u00ad\u200b-\u200d\u2060\ufeff]+")


@dataclass(frozen=True)
class Plain:
    """A text as finders look at it; places: where its characters stand in the text, None where they are the same."""

    text: str
    places: list[int] | None = None

    @classmethod
    def of(cls, text: str) -> "Plain":
        if text.isascii():
            return cls(text)
        plain = text.translate(_PLAIN)
        unseen = [match.span() for match in _UNSEEN.finditer(plain)]
        if not unseen:
            return cls(plain)
        ends = [0, *(end for _, end in unseen)]
        starts = [*(start for start, _ in unseen), len(plain)]
        seen = list(zip(ends, starts, strict=True))
        return cls("".join(plain[a:b] for a, b in seen), [place for a, b in seen for place in range(a, b)])

    def placed(self, hit: Hit) -> Hit:
        """Where it stands in the text."""
        if self.places is None:
            return hit
        return hit._replace(start=self.places[hit.start], end=self.places[hit.end - 1] + 1)
