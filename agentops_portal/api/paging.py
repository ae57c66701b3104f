"""Pages of a list: `{"results": […], "next": address or null}`. Each begins where the one before ended (a cursor), so
that rows which come meanwhile neither repeat nor hide others, and a late page costs what the first does.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from .parameters import CursorField, Parameters

Row = TypeVar("Row")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class PageParameters(Parameters):
    """Base of the query parameters of a list; it adds its own `cursor` (CursorField)."""

    limit = serializers.IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="Rows of one page."
    )


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """What `page` answers, for `@extend_schema(responses=…)`."""
    name = f"{serializer.__name__.removesuffix('Serializer')}Page"
    address = serializers.URLField(allow_null=True, help_text="Of the next page; null on the last one.")
    return type(name, (serializers.Serializer,), {"results": serializer(many=True), "next": address})


@dataclass(frozen=True)
class KeyCursor:
    """The last row of a page by the values that the list is sorted by; as text, base64 of them as JSON."""

    values: tuple[int | str, ...]

    @classmethod
    def parser(cls, *types: type[int] | type[str]) -> Callable[[str], "KeyCursor"]:
        """For CursorField: reads `str()` of a cursor with values of these types; else ValueError."""

        def parse(text: str) -> KeyCursor:
            try:
                values = orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=="))
            except (ValueError, UnicodeEncodeError):
                raise ValueError("no cursor") from None
            fits = isinstance(values, list) and len(values) == len(types)
            if not fits or any(type(value) is not kind for value, kind in zip(values, types, strict=True)):
                raise ValueError("a cursor of another list")
            if any(not 0 <= value < 2**63 if isinstance(value, int) else "\0" in value for value in values):
                raise ValueError("no time, or no text that a store takes")
            return cls(tuple(values))

        return parse

    def __str__(self) -> str:
        return urlsafe_b64encode(orjson.dumps(self.values)).decode("ascii").rstrip("=")


def page(
    request: Request,
    rows: Sequence[Row],
    limit: int,
    *,
    cursor_of: Callable[[Row], object],
    serializer: type[serializers.BaseSerializer[Any]],
    pinned: Mapping[str, str] | None = None,
    replaced: Collection[str] = (),
    context: Mapping[str, object] | None = None,
) -> Response:
    """The answer with up to `limit` rows. Fetch one more: it tells whether there is a next page.

    pinned: parameters that the next page must repeat although this one left them out; replaced: those that they stand
    for; context: of the serializer.
    """
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = request.build_absolute_uri()
        for name in replaced:
            following = remove_query_param(following, name)
        for name, value in {**(pinned or {}), "cursor": str(cursor_of(shown[-1]))}.items():
            following = replace_query_param(following, name, value)
    return Response({"results": serializer(shown, many=True, context=dict(context or {})).data, "next": following})


class NewestFirstParameters(PageParameters):
    """Of a list that `newest_first` answers and nothing filters."""

    cursor = CursorField(KeyCursor.parser(str, str))


def newest_first(
    request: Request,
    rows: QuerySet[Any],
    wanted: Mapping[str, Any],
    *,
    time: str,
    serializer: type[serializers.BaseSerializer[Any]],
) -> Response:
    """The page of rows by the field `time` and, where it is the same, by their UUIDs.

    wanted: `limit` and, on later pages, the `cursor` that `KeyCursor.parser(str, str)` reads. Raises ValidationError
    for one that names no page.
    """
    if "cursor" in wanted:
        moment, row_id = _moment_and_id(wanted["cursor"])
        rows = rows.filter(Q(**{f"{time}__lt": moment}) | Q(**{time: moment, "id__lt": row_id}))
    return page(
        request,
        list(rows.order_by(f"-{time}", "-id")[: wanted["limit"] + 1]),
        wanted["limit"],
        cursor_of=lambda row: KeyCursor((getattr(row, time).isoformat(), str(row.pk))),
        serializer=serializer,
    )


def _moment_and_id(cursor: KeyCursor) -> tuple[datetime, UUID]:
    moment, row_id = map(str, cursor.values)
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError):
        raise serializers.ValidationError({"cursor": ["This names no page."]}) from None
