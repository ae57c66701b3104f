"""Pages of a list: `{"results": […], "next": address or null}`. Each begins where the one before ended (a cursor), so
that rows which come meanwhile neither repeat nor hide others, and a late page costs what the first does.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from .parameters import Parameters

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


def page(
    request: Request,
    rows: Sequence[Row],
    limit: int,
    *,
    cursor_of: Callable[[Row], object],
    serializer: type[serializers.BaseSerializer[Any]],
) -> Response:
    """The answer with up to `limit` rows. Fetch one more: it tells whether there is a next page."""
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = replace_query_param(request.build_absolute_uri(), "cursor", str(cursor_of(shown[-1])))
    return Response({"results": serializer(shown, many=True).data, "next": following})
