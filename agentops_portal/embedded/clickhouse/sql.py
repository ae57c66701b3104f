"""Reads as much of a query's text as an HTTP server must know before it can run it.

That is: does it insert, where does its data begin, which format does it name, does it leave something behind in its
session. Everything else is the engine's to parse; `permits` asks it what clients may not have.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

# What is opened and never closed ends with the text: the engine refuses it, and reading stays linear.
_TOKEN = re.compile(
    rb"""(?P<blank>[\s\x00]+|--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)
    |(?P<quoted>"(?:[^"\\]|\\.|"")*(?:"|\\?\Z)|`(?:[^`\\]|\\.|``)*(?:`|\\?\Z))
    |(?P<string>'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    |(?P<number>\d[\w.]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_DATA_GAP = re.compile(rb"[ \t\f]*\r?\n?")


class Kind(Enum):
    SELECT = "select"  # its result is streamed
    INSERT = "insert"  # data in a format follows its text
    OTHER = "other"  # runs as it stands, its result is small


class Fault(Enum):
    """What clients are refused: ClickHouse's code, its name and a sentence."""

    EMPTY = 62, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): the query is empty."
    MANY = 62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed): send one query in a request."
    OUTFILE = 358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed"
    INFILE = 78, "UNKNOWN_TYPE_OF_QUERY", "Query has infile and was send directly to server"


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: bytes  # words in upper case
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of a query; offsets are bytes of the text that was read."""

    kind: Kind = Kind.OTHER
    words: tuple[bytes, ...] = ()  # the first three words in upper case
    format: str | None = None  # as the query writes it
    into: int = 0  # where INTO OUTFILE or FROM INFILE fits into the text
    tail: bytes = b""  # the text from there on, without a trailing semicolon and without an insert's data
    data: int = 0  # where an insert's data begins
    input: tuple[int, int] | None = None  # where `input` stands in INSERT … SELECT … FROM input(…) FORMAT …
    fault: Fault | None = None

    @property
    def changes_session(self) -> bool:
        return self.words[:1] in ((b"SET",), (b"USE",))

    @property
    def makes_temporary_table(self) -> bool:
        return self.words[:1] == (b"CREATE",) and b"TEMPORARY" in self.words


def tokens(text: bytes) -> Iterator[Token]:
    """The tokens of a query without blanks and comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind != "blank":
            found = match.group()
            yield Token(kind, found.upper() if kind == "word" else found, match.start(), match.end())


def read(text: bytes) -> Statement:
    """What a request's text asks for. Of an insert only the text before its data is looked at."""
    reader = _Reader(text)
    stream = iter(reader)
    first = next(stream, None)
    if first is None:
        return Statement(fault=Fault.EMPTY)
    found = _insert(reader, stream) if first.text == b"INSERT" else None
    if found is None:
        for _ in stream:
            pass
        found = _without_data(reader)
    return found


@dataclass(slots=True)
class _Reader:
    """Tokens, the depth of their brackets, and the first thing on the way that is refused."""

    text: bytes
    depth: int = 0
    fault: Fault | None = None
    seen: list[Token] = field(default_factory=list)

    def __iter__(self) -> Iterator[Token]:
        for token in tokens(self.text):
            if token.text in (b"(", b"["):
                self.depth += 1
            elif token.text in (b")", b"]"):
                self.depth -= 1
            if self.seen and self.fault is None:
                self.fault = _refused(self.seen[-1], token)
            self.seen.append(token)
            yield token


def _refused(last: Token, token: Token) -> Fault | None:
    if last.text == b";" and token.text != b";":
        return Fault.MANY
    pair = last.text, token.text
    if pair == (b"INTO", b"OUTFILE"):
        return Fault.OUTFILE
    return Fault.INFILE if pair == (b"FROM", b"INFILE") else None


def _insert(reader: _Reader, stream: Iterator[Token]) -> Statement | None:
    """An INSERT whose data follows, or None when its rows come from a query."""
    into = 0
    fed: tuple[int, int] | None = None
    named = selects = False
    for token in stream:
        if token.text == b"(" and reader.seen[-2].text == b"INPUT":
            fed = reader.seen[-2].start, reader.seen[-2].end
        if reader.depth or token.kind not in ("word", "quoted"):
            continue
        if named and token.kind == "word":
            selects = selects or token.text in (b"SELECT", b"WITH", b"FROM")
            if token.text == b"SETTINGS" and not selects:
                into = into or token.start
            elif token.text == b"VALUES" and not selects:
                return _with_data(reader, into or token.start, token.start, token.end, b"Values")
            elif token.text == b"FORMAT" and (fed or not selects):
                name = next(stream, None)
                if name is None:
                    break
                word = reader.text[name.start : name.end]
                return _with_data(reader, into or token.start, token.start, name.end, word, fed)
        named = named or token.text not in (b"INTO", b"TABLE")
    return None


def _with_data(
    reader: _Reader, into: int, until: int, end: int, name: bytes, fed: tuple[int, int] | None = None
) -> Statement:
    """Data begins after blanks and at most one line break (ClickHouse, ParserInsertQuery)."""
    text = reader.text
    data = _after_late_settings(text, end)
    gap = _DATA_GAP.match(text, data)
    tail = text[into:until] if fed else b"%s%s FORMAT %s" % (text[into:until], text[end:data], name)
    word = name.decode(errors="replace")
    return Statement(Kind.INSERT, (b"INSERT",), word, into, tail, gap.end() if gap else data, fed, reader.fault)


def _after_late_settings(text: bytes, at: int) -> int:
    """The end of `SETTINGS name = value, …` behind a format's name, or `at` when there is none."""
    stream = tokens(text[at : at + 65536])
    first = next(stream, None)
    end = at
    while first is not None and first.text in (b"SETTINGS", b","):
        name, equals, value = next(stream, None), next(stream, None), next(stream, None)
        if name is None or equals is None or value is None or equals.text != b"=":
            break
        end = at + value.end
        first = next(stream, None)
    return end


def _without_data(reader: _Reader) -> Statement:
    seen = reader.seen
    while len(seen) > 1 and seen[-1].text == b";":
        seen.pop()
    words = tuple(token.text for token in seen[:3])
    text, end = reader.text, seen[-1].end
    fault = reader.fault or (Fault.EMPTY if words == (b";",) else None)
    inserts = words[0] == b"INSERT" or (words[0] == b"WITH" and _inserts_after_with(seen))
    if inserts:
        return Statement(Kind.OTHER, words, None, end, fault=fault)
    into, name = _format_clause(seen)
    kind = Kind.SELECT if words[0] in (b"SELECT", b"WITH", b"FROM", b"(") else Kind.OTHER
    word = text[name.start : name.end].decode(errors="replace") if name else None
    return Statement(kind, words, word, into or end, text[into:end] if into else b"", fault=fault)


def _inserts_after_with(seen: list[Token]) -> bool:
    return any(a.text == b"INSERT" and b.text == b"INTO" for a, b in pairwise(seen))


def _format_clause(seen: list[Token]) -> tuple[int, Token | None]:
    """Where FORMAT stands at the end of a statement, and the name behind it."""
    depth = 0
    for index in range(len(seen) - 2, 0, -1):
        token, name = seen[index], seen[index + 1]
        depth += (token.text in (b")", b"]")) - (token.text in (b"(", b"["))
        if depth or token.text != b"FORMAT" or token.kind != "word" or name.kind != "word":
            continue
        ends = index + 2 == len(seen) or seen[index + 2].text == b"SETTINGS"
        if ends and seen[index - 1].text not in (b"FROM", b"JOIN", b"AS", b".", b","):
            return token.start, name
    return 0, None
