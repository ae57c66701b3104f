"""ClickHouse's errors: their code, their text and the HTTP status a server answers them with."""

import re

_FIRST_CODE = re.compile(r"^(?:Failed to create connection: )?Code: (\d+)\. ")
_REPEATED_PREFIX = re.compile(r"^(?:Code: \d+\. DB::(?:Errno|Netlink)?Exception: )+(?=Code: \d+\. DB::)")
_REPEATED_TAIL = re.compile(r"(?: \(([A-Z0-9_]+)\)(?: \(version [^()]*\))?\.?)+$")
_SPOOL = re.compile(r": \(in file/uri /dev/fd/\d+\)|(?: FROM INFILE| INTO OUTFILE) '/dev/fd/\d+'(?: TRUNCATE)?")

UNKNOWN_ERROR = 1002

# Source: ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
_STATUS_OF_CODES = {
    401: {194},
    403: {192, 193, 516, 511},
    400: {36, 41, 38, 72, 26, 25, 62, 43, 53, 69, 70, 117, 27, 130, 33, 6, 32, 427, 178, 179},
    404: {60, 46, 47, 81, 50, 56, 115, 63, 73, 48, 141, 51, 78},
    413: {161},
    501: {48},
    503: {76, 209, 439},
    411: {381},
    408: {159},
}


class ClickHouseError(Exception):
    """An error a client is told of: `code` is ClickHouse's number, `str()` its whole text without a line break."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status of this error."""
        return next((status for status, codes in _STATUS_OF_CODES.items() if self.code in codes), 500)


def made(code: int, name: str, message: str, version: str) -> ClickHouseError:
    """An error of our own in ClickHouse's words."""
    return ClickHouseError(code, f"Code: {code}. DB::Exception: {message} ({name}) (version {version})")


def from_engine(error: BaseException, version: str) -> ClickHouseError:
    """The engine's error as a server words it: said once, with the version, without the paths of our spool."""
    text = str(error).removeprefix("Failed to create connection: ").strip()
    text = _SPOOL.sub("", _REPEATED_PREFIX.sub("", text))
    code = _FIRST_CODE.match(text)
    tail = _REPEATED_TAIL.search(text)
    if tail:
        text = f"{text[: tail.start()]} ({tail.group(1)})"
    return ClickHouseError(int(code.group(1)) if code else UNKNOWN_ERROR, f"{text} (version {version})")
