"""Reads as much of a query's text as an HTTP server must know before it can run it.

That is: does it insert, where does its data begin, which format does it name. The engine parses the rest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(
    rb"""(?P<blank>[\s\x00]+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
    |(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)
    |(?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<number>\d[\w.]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_SELECTS = {b"SELECT", b"WITH", b"FROM", b"("}


class Kind(Enum):
    SELECT = "select"  # its result can be streamed
    INSERT = "insert"  # data in a format follows its text
    OTHER = "other"  # run as it stands


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: bytes  # words in upper case
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of a query; offsets are bytes of the text that was read."""

    kind: Kind
    format: str | None = None
    into: int = 0  # where INTO OUTFILE or FROM INFILE fits into the text
    end: int = 0  # where the text ends: before a trailing semicolon, or before an insert's data
    data: int | None = None  # where an insert's data begins
    values: bool = False  # VALUES stands where FORMAT would


def tokens(text: bytes) -> Iterator[Token]:
    """The tokens of a query without blanks and comments."""
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "tag":
            kind = "string"
        if kind != "blank":
            found = match.group()
            yield Token(kind, found.upper() if kind == "word" else found, match.start(), match.end())


def read(text: bytes) -> Statement:
    """What kind of statement a text begins with."""
    stream = tokens(text)
    first = next(stream, None)
    if first is None:
        return Statement(Kind.OTHER)
    if first.text == b"INSERT":
        return _insert(text, stream)
    return _result(text, first, stream)


def _insert(text: bytes, stream: Iterator[Token]) -> Statement:
    depth = 0
    into = 0
    named = False  # the table's name has begun
    for token in stream:
        if token.text == b"(":
            depth += 1
        elif token.text == b")":
            depth -= 1
        if depth == 0 and token.kind == "word":
            if named and token.text in (b"SELECT", b"WITH"):
                break
            if named and token.text == b"SETTINGS" and not into:
                into = token.start
            if named and token.text == b"VALUES":
                return Statement(Kind.INSERT, "Values", into or token.start, token.start, token.end, values=True)
            if named and token.text == b"FORMAT":
                name = next(stream, None)
                if name is None:
                    break
                found = text[name.start : name.end].decode(errors="replace")
                return Statement(Kind.INSERT, found, into or token.start, name.end, _data_start(text, name.end))
        named = named or (token.kind in ("word", "quoted") and token.text not in (b"INTO", b"TABLE"))
    return Statement(Kind.OTHER, end=len(text))


def _data_start(text: bytes, at: int) -> int:
    """Data begins after blanks and at most one line break (ClickHouse, ParserInsertQuery)."""
    match = re.compile(rb"[ \t\f]*\r?\n?").match(text, at)
    return match.end() if match else at


def _result(text: bytes, first: Token, stream: Iterator[Token]) -> Statement:
    seen = [first, *stream]
    while len(seen) > 1 and seen[-1].text == b";":
        seen.pop()
    end = seen[-1].end
    into, name = end, None
    depth = 0
    for index, token in enumerate(seen):
        if token.text == b"(":
            depth += 1
        elif token.text == b")":
            depth -= 1
        if depth == 0 and token.text == b"FORMAT" and token.kind == "word" and _is_format_clause(seen, index):
            into, name = token.start, seen[index + 1]
    kind = Kind.SELECT if first.text in _SELECTS else Kind.OTHER
    if first.text == b"WITH" and any(t.text == b"INSERT" and t.kind == "word" for t in seen):
        kind = Kind.OTHER
    return Statement(kind, text[name.start : name.end].decode() if name else None, into, end)


def _is_format_clause(seen: list[Token], index: int) -> bool:
    after = seen[index + 1 : index + 3]
    before = seen[index - 1].text if index else b""
    if not after or after[0].kind != "word" or before in {b"FROM", b"JOIN", b"AS", b".", b",", b""}:
        return False
    return len(after) == 1 or after[1].text == b"SETTINGS"
