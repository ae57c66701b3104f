"""Reads what Python's `repr` writes of plain values, for LiteLLM and others send it where they mean JSON.

Such a text comes from strangers, and Python's own parser is no door for them: it takes operators and f-strings, its
time is not linear, and it holds the interpreter while it works. This one knows None, True, False, numbers, strings,
bytes, lists, tuples, sets and dicts, and gives up at anything else. Its time and memory are linear in the text: no
recursion, no pattern that backtracks, no number without end, no keys whose hashes somebody could have chosen alike.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from .surrogates import mended

MAX_DEPTH = 100
MAX_DIGITS = 100
MAX_TOKENS = 60_000  # strings, numbers, commas, brackets …: some microseconds each
# Python hashes strings with a secret of the process, but numbers and tuples without: who chooses them can make all
# keys of a dict collide. Of numbers below the modulus of that hash only a few are alike; of the rest it takes so many.
MAX_GUESSABLE_KEYS = 100
_HASH_MODULUS = 2**61 - 1

# Quantifiers are possessive (*+): what they took they do not give back. Strings in three quotes, and two that touch,
# are not repr's.
_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
    (?P<open>[\[({])
    | (?P<close>[\])}])
    | (?P<comma>,)
    | (?P<colon>:)
    | (?P<prefix>[bBrRuU]{0,2}+)(?:
        '(?P<single>[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+)'(?!')
        | "(?P<double>[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+)"(?!"))
    | (?P<float>[-+]?+(?:inf|nan|[0-9]++(?:\.[0-9]*+(?:[eE][-+]?+[0-9]++)?+|[eE][-+]?+[0-9]++))(?![\w.]))
    | (?P<integer>[-+]?+(?:0|[1-9][0-9]*+)(?![\w.]))
    | (?P<word>(?:None|True|False)(?!\w)|set\(\))
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BLANK = re.compile(r"[ \t\r\n]*+")
_WORDS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "set()": set,
}
_CLOSERS = {"[": "]", "(": ")", "{": "}"}
_PREFIXES = ("", "u", "b", "r", "br", "rb")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
_ESCAPED |= {each: each for each in "\\'\""}


class NotPlain(ValueError):
    """The text denotes nothing that is read here, or too much."""

    @property
    def tokens(self) -> int:
        return int(self.args[0]) if self.args else 0


def python_value(text: str, max_tokens: int = MAX_TOKENS) -> tuple[Any, int]:
    """The value that `text` denotes, half a surrogate pair in it being U+FFFD, and the tokens that were read.

    Raises NotPlain with the number of those.
    """
    reader = _Reader()
    try:
        return reader.value_of(text, max_tokens), reader.tokens
    except NotPlain:
        raise NotPlain(reader.tokens) from None


class _Container:
    """A list, tuple, set or dict of which some items were read."""

    def __init__(self, opener: str) -> None:
        self.opener = opener
        self.items: list[Any] = []
        self.keys: list[Any] = []  # of a dict; one more than items while a value is awaited
        self.has_comma = False

    def end_key(self, key: Any) -> None:
        if self.opener != "{" or len(self.keys) != len(self.items):
            raise NotPlain
        self.keys.append(key)

    def end_item(self, item: Any) -> None:
        self.items.append(item)
        if self.keys and len(self.keys) != len(self.items):
            raise NotPlain

    def value(self) -> Any:
        if self.opener == "[":
            return self.items
        if self.opener == "(":  # without a comma these are mere brackets
            return self.items[0] if len(self.items) == 1 and not self.has_comma else tuple(self.items)
        keys = self.keys or self.items
        if len(self.keys) not in (0, len(self.items)) or sum(map(_is_guessable, keys)) > MAX_GUESSABLE_KEYS:
            raise NotPlain
        try:
            return dict(zip(keys, self.items, strict=True)) if self.keys or not self.items else set(self.items)
        except TypeError:  # a list or dict as a key
            raise NotPlain from None


class _Reader:
    """One run through a text. `_pending`: what stands before the next comma, colon or closing bracket."""

    def __init__(self) -> None:
        self._open: list[_Container] = []
        self._pending: list[Any] = []  # one value, or several strings that stand side by side
        self._is_text = False  # whether it is a string that another one may continue
        self.tokens = 0

    def value_of(self, text: str, max_tokens: int) -> Any:
        position = 0
        while True:
            token = _TOKEN.match(text, position)
            if token is None or self.tokens >= max_tokens:
                raise NotPlain
            self.tokens += 1
            position = token.end()
            self._take(token)
            if not self._open and self._pending and _BLANK.fullmatch(text, position):
                return self._value()

    def _take(self, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if kind in ("single", "double"):
            self._add_text(_string(token["prefix"].lower(), token[kind]))
        elif kind == "open":
            if self._pending or len(self._open) >= MAX_DEPTH:
                raise NotPlain
            self._open.append(_Container(token["open"]))
        elif kind in ("comma", "colon", "close"):
            self._end(kind, token[kind])
        elif self._pending:
            raise NotPlain
        else:
            self._pending = [_number(token) if kind in ("integer", "float") else _WORDS[token["word"]]()]

    def _add_text(self, text: str | bytes) -> None:
        if self._pending and not (self._is_text and type(self._pending[0]) is type(text)):
            raise NotPlain
        self._pending.append(text)
        self._is_text = True

    def _end(self, kind: str, sign: str) -> None:
        if not self._open or (kind != "close" and not self._pending):
            raise NotPlain
        inner = self._open[-1]
        if kind == "colon":
            inner.end_key(self._value())
            return
        inner.has_comma |= kind == "comma"
        if self._pending:
            inner.end_item(self._value())
        if kind == "close":
            if _CLOSERS[inner.opener] != sign:
                raise NotPlain
            self._open.pop()
            self._pending = [inner.value()]

    def _value(self) -> Any:
        pending, self._pending = self._pending, []
        self._is_text = False
        return pending[0] if len(pending) == 1 else pending[0][:0].join(pending)


def _is_guessable(key: Any) -> bool:
    """Whether others can choose keys with the same hash as this one."""
    return type(key) is tuple or (type(key) in (int, float) and not -_HASH_MODULUS < key < _HASH_MODULUS)


def _number(token: re.Match[str]) -> int | float:
    text = token[token.lastgroup or ""]
    if len(text) > MAX_DIGITS:
        raise NotPlain
    if token.lastgroup == "integer":
        return int(text)
    value = float(text)
    if math.isinf(value) and "inf" not in text:
        raise NotPlain
    return value


def _string(prefix: str, body: str) -> str | bytes:
    if prefix not in _PREFIXES or ("b" in prefix and not body.isascii()):
        raise NotPlain
    if "\\" in body and "r" not in prefix:
        body = _ESCAPE.sub(_unescaped_byte if prefix == "b" else _unescaped, body)
    return body.encode("latin-1") if "b" in prefix else mended(body)


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[0][1:]
    if code in _ESCAPED:
        return _ESCAPED[code]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
    elif code[0] in "01234567":
        number = int(code, 8)
    elif code in "xuUN":
        raise NotPlain
    else:
        return escape[0]
    if number > 0x10FFFF:
        raise NotPlain
    return chr(number)


def _unescaped_byte(escape: re.Match[str]) -> str:
    if escape[0][1] in "uUN":  # mean nothing in bytes
        return escape[0]
    text = _unescaped(escape)
    if text != escape[0] and ord(text or "\0") > 255:
        raise NotPlain
    return text
