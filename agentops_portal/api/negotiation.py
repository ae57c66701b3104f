"""What bodies the API reads and writes: JSON, whatever the headers of a request call it."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import orjson
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, FormParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(JSONParser):
    """RFC 8259 and no more: no NaN, no lone surrogates, no nesting that exhausts the stack.

    Raises ParseError, or BodyTooLarge above DATA_UPLOAD_MAX_MEMORY_SIZE.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return strict_json(stream)


def strict_json(stream: Any, max_bytes: int | None = None) -> Any:
    """What a body holds. Raises ParseError, or BodyTooLarge above `max_bytes`, else DATA_UPLOAD_MAX_MEMORY_SIZE."""
    try:
        return orjson.loads(_whole(stream, max_bytes))
    except orjson.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: {error}.") from None


class StrictFormParser(FormParser):
    """A form of a browser. Raises BodyTooLarge above DATA_UPLOAD_MAX_MEMORY_SIZE."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return super().parse(BytesIO(_whole(stream)), media_type, parser_context)


def _whole(stream: Any, max_bytes: int | None = None) -> bytes:
    limit = max_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read() if limit is None else stream.read(limit + 1)
    if limit is not None and len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    return body


class LenientNegotiation(BaseContentNegotiation):
    """The view's first renderer whatever `Accept` says, and its first parser for a type that none of them names:
    clients of this API have never had to get these headers right.
    """

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser:  # type: ignore[override]
        for parser in parsers:
            if media_type_matches(parser.media_type or "", request.content_type or ""):
                return parser
        return parsers[0]

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""
