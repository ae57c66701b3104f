"""Parameters and bodies of the endpoints that AgentOps' clients know; faults are told in FastAPI's shape."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.request import Request
from rest_framework.settings import api_settings

from agentops_portal.units import EPOCH, LAST_MICROSECOND

MILLISECONDS_FROM: Final = 20_000_000_000  # as pydantic reads numbers: from here on they cannot be meant as seconds
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,30})?")

# The names that pydantic gives to the kinds of faults that DRF finds.
KINDS: Final = {
    "required": "missing",
    "null": "none_not_allowed",
    "blank": "string_too_short",
    "min_length": "string_too_short",
    "max_length": "string_too_long",
    "min_value": "greater_than_equal",
    "max_value": "less_than_equal",
    "invalid_choice": "enum",
    "not_a_list": "list_type",
    "not_a_dict": "dict_type",
}


class ContractValidationError(APIException):
    """Answered as 422 `{"detail": [{"type", "loc", "msg", "input"}]}`."""

    status_code = 422
    default_code = "validation"

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__("The request is not valid.")
        self.faults = faults


def fault(where: list[str | int], message: str, *, kind: str = "value_error", sent: Any = None) -> dict[str, Any]:
    """One entry of a 422 answer; `where` begins with "query", "path" or "body"."""
    return {"type": kind, "loc": where, "msg": message, "input": sent}


class ContractParameters(serializers.Serializer[Any]):
    """Base of the parameters, or of the body, of an endpoint. What it does not declare is ignored, for today's clients
    send more than is read. The value of a field that is `write_only`, a secret, is not repeated in the fault.
    """

    @classmethod
    def of_query(cls, request: Request, **context: object) -> dict[str, Any]:
        """The checked query parameters. Raises ContractValidationError."""
        parameters = cls(context={"request": request, **context})
        sent = {
            name: request.query_params.getlist(name) if _takes_several(field) else request.query_params[name]
            for name, field in parameters.fields.items()
            if name in request.query_params
        }
        return parameters._checked(sent, "query")

    @classmethod
    def of_body(cls, request: Request, **context: object) -> dict[str, Any]:
        """The checked JSON body. Raises ContractValidationError, and ParseError when it is not JSON."""
        return cls(context={"request": request, **context})._checked(request.data, "body")

    def _checked(self, sent: Any, where: str) -> dict[str, Any]:
        if not isinstance(sent, Mapping):
            message = "Input should be a valid dictionary"
            raise ContractValidationError([fault([where], message, kind="model_attributes_type")])
        self.initial_data = sent
        if self.is_valid():
            return dict(self.validated_data)
        raise ContractValidationError(list(_faults(self.errors, [where], sent, self)))


def faults_of(errors: Any, where: str) -> list[dict[str, Any]]:
    """The faults of a ValidationError that no ContractParameters raised."""
    return list(_faults(errors, [where], None, None))


def _takes_several(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return isinstance(field, serializers.ListField | serializers.MultipleChoiceField)


def _faults(errors: Any, where: list[str | int], sent: Any, field: Any) -> Iterator[dict[str, Any]]:
    """Walk DRF's errors (dicts by field, lists by index, messages at the end) along what was sent."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from _faults(inner, where, sent, field)
            else:
                inner_field = getattr(field, "fields", {}).get(name) or getattr(field, "child", None)
                yield from _faults(inner, [*where, name], _item(sent, name), inner_field)
        return
    for index, error in enumerate(errors if isinstance(errors, list) else [errors]):
        if isinstance(error, Mapping):
            child = getattr(field, "child", None)
            yield from _faults(error, [*where, index], _item(sent, index), child) if error else ()
        else:
            yield _fault(error, where, None if getattr(field, "write_only", False) else sent)


def _fault(error: Any, where: list[str | int], sent: Any) -> dict[str, Any]:
    code = (isinstance(error, ErrorDetail) and error.code) or "invalid"
    message = "Field required" if code == "required" else str(error)
    return fault(where, message, kind=KINDS.get(code, "value_error"), sent=sent)


def _item(sent: Any, name: Any) -> Any:
    try:
        return sent[name]
    except (KeyError, IndexError, TypeError):
        return None


@extend_schema_field(OpenApiTypes.DATETIME)
class ContractMomentField(serializers.Field[datetime, Any, str, Any]):
    """A time, as an aware datetime in UTC: ISO 8601, whose offset counts (without one it is UTC) and whose fraction
    stays, or Unix seconds.
    """

    default_error_messages = {
        "invalid": "Input should be a valid datetime, such as 2026-11-23T09:30:00+09:00, or Unix seconds.",
        "range": "Choose a time between 1970 and 2262.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        moment = self._read(data)
        if not EPOCH <= moment <= LAST_MICROSECOND:
            self.fail("range")
        return moment

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()

    def _read(self, data: Any) -> datetime:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        text = str(data).strip()
        if _NUMBER.fullmatch(text):
            return self._of_number(Decimal(text))
        try:
            moment = parse_datetime(_with_plus(text))
        except ValueError:
            moment = None
        if moment is None:
            self.fail("invalid")
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            self.fail("range")

    def _of_number(self, number: Decimal) -> datetime:
        seconds = number / 1000 if abs(number) >= MILLISECONDS_FROM else number
        if not 0 <= seconds < (LAST_MICROSECOND - EPOCH).total_seconds():
            self.fail("range")
        return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _with_plus(text: str) -> str:
    """A "+" that nobody escaped in an address arrives as a blank; the blank between date and time stays."""
    date, separator, time = text[:10], text[10:11], text[11:]
    return f"{date}{separator}{time.replace(' ', '+')}"
