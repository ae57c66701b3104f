"""One serializer says what an endpoint takes, in its query or body; every fault is a 400 that names its parameter."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from agentops_portal.units import EPOCH, LAST_MICROSECOND


class Parameters(serializers.Serializer[Any]):
    """Base of the query parameters, or of the body, of an endpoint."""

    @classmethod
    def of(cls, request: Request, **context: object) -> dict[str, Any]:
        """The checked parameters of a request. Raises ValidationError {parameter: [what is wrong]}."""
        parameters = cls(data=request.query_params, context={"request": request, **context})
        unknown = sorted(set(request.query_params) - set(parameters.fields))
        if unknown:
            known = _("There is no such parameter. There are: %(names)s.") % {"names": ", ".join(parameters.fields)}
            raise serializers.ValidationError({name: [known] for name in unknown})
        parameters.is_valid(raise_exception=True)
        return dict(parameters.validated_data)

    @classmethod
    def of_body(cls, request: Request, **context: object) -> dict[str, Any]:
        """The checked fields of a JSON body. Raises ValidationError {field: [what is wrong]}."""
        data = request.data
        if not isinstance(data, dict):
            raise serializers.ValidationError({"detail": "The body must be a JSON object."})
        body = cls(data=data, context={"request": request, **context})
        unknown = sorted(set(data) - set(body.fields))
        if unknown:
            known = f"There is no such field. There are: {', '.join(body.fields)}."
            raise serializers.ValidationError({name: [known] for name in unknown})
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-11-23T09:30:00Z"]})
class MomentField(serializers.Field[datetime, str, str, Any]):
    """A time with its offset, ISO 8601: `2026-11-23T09:30:00Z`, `2026-11-23T18:30+09:00`. Gives UTC."""

    def to_internal_value(self, data: object) -> datetime:
        try:
            # A "+" that nobody escaped arrives as a blank.
            moment = parse_datetime(data.strip().replace(" ", "+")) if isinstance(data, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError(
                _("Write a time with its offset, such as 2026-11-23T09:30:00Z or 2026-11-23T18:30:00+09:00.")
            )
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            moment = datetime.min.replace(tzinfo=UTC)
        if not EPOCH <= moment <= LAST_MICROSECOND:  # what the span store can hold
            raise serializers.ValidationError(_("Choose a time between 1970 and 2262."))
        return moment

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string"})
class CursorField(serializers.Field[Any, str, str, Any]):
    """Where a page begins: a text that the page before gave. `parse` reads it and raises ValueError when it cannot."""

    def __init__(self, parse: Callable[[str], Any], **kwargs: Any) -> None:
        text = "Where the page begins: comes in the address `next`."
        super().__init__(**{"required": False, "help_text": text, **kwargs})
        self._parse = parse

    def to_internal_value(self, data: str) -> Any:
        try:
            return self._parse(data)
        except ValueError:
            raise serializers.ValidationError(
                _("This names no page: take the address from `next`, or leave it out to begin with the first.")
            ) from None

    def to_representation(self, value: Any) -> str:
        return str(value)
