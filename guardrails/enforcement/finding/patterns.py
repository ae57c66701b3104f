"""Finders of a rule's own words."""

from collections.abc import Iterator
from typing import Final

import re2

from .hits import Finder, Hit, compiled

MOST_WORDS: Final = 2_000


def regex(pattern: str, kind: str) -> Finder:
    """Raises re2.error. What matches nothing (`a*`) is no finding."""
    regexp = compiled(pattern)

    def find(text: str) -> Iterator[Hit]:
        for match in regexp.finditer(text):
            if match.end() > match.start():
                yield Hit(match.start(), match.end(), kind)

    return find


def keywords(lines: str, kind: str) -> Finder:
    """One word or phrase a line, whatever its case. Latin ones are whole words, others are found within, for Korean
    words end in particles.
    """
    words = sorted(words_of(lines), key=len, reverse=True)  # the longer of two that begin alike
    return regex("(?i)" + "|".join(map(_bounded, words)), kind) if words else lambda text: iter(())


def words_of(lines: str) -> list[str]:
    return list(dict.fromkeys(word for line in lines.splitlines() if (word := line.strip())))


def _bounded(word: str) -> str:
    first, last = ("\\b" if edge.isascii() and edge.isalnum() else "" for edge in (word[0], word[-1]))
    blanks = "\\s+".join(map(re2.escape, word.split()))  # a line may end within a phrase
    return f"{first}{blanks}{last}"
