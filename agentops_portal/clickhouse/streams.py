"""A result read block by block, which can be abandoned.

clickhouse-connect's own streams read an abandoned result to its end before they let go of it, however long it is; so
its decoder is put on a response of our own, whose socket is shut down instead. The server then stops the query.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.httpclient import HttpClient
from clickhouse_connect.driver.httputil import ResponseSource
from clickhouse_connect.driver.query import QueryResult
from clickhouse_connect.driver.transform import NativeTransform
from urllib3.response import HTTPResponse

# The server says so with a header, and marks an error that comes after the first rows with it.
EXCEPTION_TAG = "X-ClickHouse-Exception-Tag"


@dataclass
class Blocks:
    """Column names and types, known before the first row, and the rows in blocks."""

    names: Sequence[str]
    types: Sequence[Any]
    rows: Iterator[Sequence[Sequence[Any]]]


@contextmanager
def open_blocks(
    client: Client,
    query: str,
    *,
    parameters: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    query_formats: Mapping[str, str] | None = None,
) -> Iterator[Blocks]:
    """Run `query` and yield its result while the server still works on it.

    Raises clickhouse_connect's errors, also while the rows are read.
    """
    context = client.create_query_context(
        query,
        dict(parameters or {}),
        settings=dict(settings),
        query_formats=dict(query_formats or {}),
        query_tz="UTC",
        streaming=True,
    )
    encoding = cast(HttpClient, client).compression
    response = cast(
        HTTPResponse,
        client.raw_stream(
            query,
            dict(parameters or {}),
            settings={**settings, **({"enable_http_compression": 1} if encoding else {})},
            fmt="Native",
            transport_settings={"Accept-Encoding": encoding} if encoding else None,
        ),
    )
    try:
        source = RespBuffCls(ResponseSource(response, exception_tag=response.headers.get(EXCEPTION_TAG)))
        result = cast(QueryResult, NativeTransform.parse_response(source, context))
        with result.row_block_stream as blocks:
            try:
                yield Blocks(result.column_names, result.column_types, blocks)
            finally:
                _shut_down(response)
    finally:
        response.close()


def _shut_down(response: HTTPResponse) -> None:
    """End a response in the middle; one that was read to its end has given its connection back already."""
    with suppress(ValueError, RuntimeError):  # urllib3's words for: nothing left to shut down
        response.shutdown()
