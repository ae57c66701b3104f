"""ClickHouse's errors: their code, their text and the HTTP status a server answers them with."""

import re

_CODE = re.compile(r"^Code: (\d+)\. ")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^()]*\))?$")
_REPEATED_PREFIX = re.compile(r"^(?:Code: \d+\. DB::\w*Exception: )+(?=Code: \d+\. DB::)")
_REPEATED_TAIL = re.compile(r"(?: \(([A-Z][A-Z0-9_]+)\)(?: \(version [^()]*\))?\.?)+$")
_SPOOL = re.compile(r": \(in file/uri /dev/fd/\d+\)|(?: FROM INFILE| INTO OUTFILE) '/dev/fd/\d+'(?: TRUNCATE)?")

UNKNOWN_EXCEPTION = 1002
_NO_SPACE = 243
_NO_SPACE_LEFT = ("errno: 28", "No space left on device")

# Which codes a server answers with which status (ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp).
_STATUS_OF_CODES: dict[int, frozenset[int]] = {
    401: frozenset({194}),
    403: frozenset({192, 193, 497, 512, 516}),
    400: frozenset({6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123})
    | frozenset({167, 168, 223, 321, 376, 427, 441, 675, 676}),
    404: frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511}),
    408: frozenset({159}),
    411: frozenset({381}),
    413: frozenset({229}),
    415: frozenset({779}),
    501: frozenset({48}),
    503: frozenset({76, 209, 439}),
}


class ClickHouseError(Exception):
    """An error a client is told of: `code` is ClickHouse's number, `str()` its whole text without a line break."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def status(self) -> int:
        return next((status for status, codes in _STATUS_OF_CODES.items() if self.code in codes), 500)

    @property
    def name(self) -> str:
        """ClickHouse's name for the code, such as SYNTAX_ERROR; holds nothing of the query or its data."""
        found = _NAME.search(str(self))
        return found.group(1) if found else "UNKNOWN_EXCEPTION"


def made(code: int, name: str, message: str, version: str) -> ClickHouseError:
    """An error of our own in ClickHouse's words."""
    return ClickHouseError(code, f"Code: {code}. DB::Exception: {message} ({name}) (version {version})")


def from_engine(error: BaseException, version: str) -> ClickHouseError:
    """The engine's error as a server words it: said once, with the version, without the paths of our spool."""
    text = str(error).removeprefix("Failed to create connection: ").strip()
    text = _SPOOL.sub("", _REPEATED_PREFIX.sub("", text))
    code = _CODE.match(text)
    if code is None:
        return made(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", text, version)
    tail = _REPEATED_TAIL.search(text)
    if tail:
        text = f"{text[: tail.start()]} ({tail.group(1)})"
    if any(sign in text for sign in _NO_SPACE_LEFT):
        return made(_NO_SPACE, "NOT_ENOUGH_SPACE", "The disk is full: free some space, then send this again", version)
    return ClickHouseError(int(code.group(1)), f"{text} (version {version})")
