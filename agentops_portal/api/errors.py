"""Errors of the API that no view thinks of."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from agentops_portal.clickhouse.gate import ClickHouseUnavailable, QueryTimeout, QueryTooLarge
from agentops_portal.outage import is_outage
from agentops_portal.refusals import NotSignedIn

from .negotiation import BodyTooLarge
from .unavailable import StoreUnavailable


class QueryTookTooLong(APIException):
    status_code = 504
    default_detail = "The query took too long: choose a shorter time range."
    default_code = "timeout"


class AnswerTooLarge(APIException):
    status_code = 413
    default_detail = "The answer is too large: choose a shorter time range or a narrower filter."
    default_code = "too_large"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF answers; 503 with Retry-After while a store is away, 504 and 413 for queries above their limits.

    The address of a store is the operator's matter: it is in the log, not in the answer.
    """
    if is_outage(error):
        error = StoreUnavailable()
    elif isinstance(error, ClickHouseUnavailable):
        error = StoreUnavailable("This cannot be answered now, for ClickHouse does not answer. Try again.")
    elif isinstance(error, QueryTimeout):
        error = QueryTookTooLong()
    elif isinstance(error, QueryTooLarge):
        error = AnswerTooLarge()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request is malformed.")
    elif isinstance(error, NotSignedIn):  # the other refusals are Django's own, which DRF knows
        error = NotAuthenticated(str(error))
    return exception_handler(error, context)
