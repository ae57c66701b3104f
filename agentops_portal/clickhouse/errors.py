"""What ClickHouse's error codes mean, in the terms of Python's DB-API and in sentences for people.

Codes: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
"""

import re
from ssl import SSLError

from clickhouse_connect.driver.exceptions import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as HTTPSSLError

UNKNOWN_TABLE = 60
UNKNOWN_DATABASE = 81
AUTHENTICATION_CODES = frozenset({192, 193, 194, 516})
# TIMEOUT_EXCEEDED, TOO_SLOW, SOCKET_TIMEOUT, QUERY_WAS_CANCELLED
TIMEOUT_CODES = frozenset({159, 160, 209, 394})
# TOO_MANY_ROWS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
SIZE_CODES = frozenset({158, 241, 307, 396})
# TOO_MANY_SIMULTANEOUS_QUERIES, NETWORK_ERROR, NO_ZOOKEEPER, TABLE_IS_READ_ONLY, NOT_ENOUGH_SPACE, TOO_MANY_PARTS,
# ALL_CONNECTION_TRIES_FAILED, KEEPER_EXCEPTION
BUSY_CODES = frozenset({202, 210, 225, 242, 243, 252, 279, 999})

_CLASS_OF_CODE: dict[int, type[DatabaseError]] = {
    **dict.fromkeys(AUTHENTICATION_CODES | TIMEOUT_CODES | SIZE_CODES | BUSY_CODES, OperationalError),
    # VIOLATED_CONSTRAINT, CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    **dict.fromkeys((469, 349), IntegrityError),
    # UNSUPPORTED_METHOD, NOT_IMPLEMENTED, SUPPORT_IS_DISABLED
    **dict.fromkeys((1, 48, 344), NotSupportedError),
    # CANNOT_PARSE_*, INCORRECT_DATA, ILLEGAL_DIVISION, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, TOO_LARGE_STRING_SIZE,
    # DECIMAL_OVERFLOW, CANNOT_CONVERT_TYPE, ARGUMENT_OUT_OF_BOUND
    **dict.fromkeys((6, 26, 27, 32, 33, 38, 41, 69, 70, 72, 117, 131, 153, 321, 376, 407, 691), DataError),
    # unknown or existing names, syntax, types of arguments, settings, rights
    **dict.fromkeys((10, 15, 16, 20, 36, 42, 43, 44, 46, 47, 50, 53, 57, 60, 62, 63, 80, 81, 82), ProgrammingError),
    **dict.fromkeys((115, 164, 179, 184, 215, 386, 452, 456, 457, 497, 721), ProgrammingError),
}

_PREFIX = re.compile(r"^Received ClickHouse exception, code: \d+, server response: ")
_SUFFIX = re.compile(r"\s*(\(version [^()]*(\([^()]*\))?[^()]*\))?\s*\(for url [^()]*\)\s*$")


def as_database_error(error: Error, url: str) -> Error:
    """The same fault as the DB-API class that fits its code, with ClickHouse's own words and without noise.

    `url` is the server's address without credentials; it appears when the server could not be reached.
    """
    if error.code is None and is_unreachable(error):
        return OperationalError(unreachable_message(error, url))
    # A class that the client has chosen already says more than DatabaseError does.
    kind = type(error) if type(error) is not DatabaseError else _CLASS_OF_CODE.get(error.code or 0, DatabaseError)
    if error.code in _CLASS_OF_CODE:
        kind = _CLASS_OF_CODE[error.code]
    try:
        return kind(server_message(error), code=error.code, name=error.name)
    except TypeError:  # a subclass with a message of its own
        return error


def server_message(error: Error) -> str:
    """ClickHouse's message without the client's framing and the server's version."""
    return _SUFFIX.sub("", _PREFIX.sub("", str(error))).strip()


def is_unreachable(error: BaseException) -> bool:
    """True when the request brought no answer: refused, timed out, unknown host, broken connection."""
    return isinstance(error, OperationalError) and error.code is None and error.__cause__ is not None


def unreachable_message(error: BaseException, url: str) -> str:
    """One sentence: which address, and why it did not answer."""
    cause = error.__cause__
    if isinstance(cause, MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    return f"ClickHouse at {url} cannot be reached: {_reason(cause)}."


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, NameResolutionError):
        return "its host name is unknown"
    if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
        return "no answer to the connection attempt"
    if isinstance(cause, ReadTimeoutError):
        return "no answer in time"
    if isinstance(cause, ProtocolError):
        return "it closed the connection without an answer"
    if isinstance(cause, HTTPSSLError | SSLError):
        return f"TLS failed ({cause})"
    text = str(cause).rpartition(": ")[2] or type(cause).__name__
    return re.sub(r"^\[Errno \d+\] ", "", text).rstrip(".)('\"")
