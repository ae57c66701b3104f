"""What all finders give, and how they look for candidates."""

from collections.abc import Callable, Iterator
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
            if not (_continues(text, start - 1) or _continues(text, end)):
                yield start, end, match.group()

    return find


def _continues(text: str, at: int) -> bool:
    """Korean particles follow a number without a blank, so that only ASCII continues one."""
    return 0 <= at < len(text) and text[at].isascii() and (text[at].isalnum() or text[at] == "_")
