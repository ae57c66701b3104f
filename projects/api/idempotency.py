"""`Idempotency-Key`: a change that a client asks for twice, because it did not see the answer, is made once.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header

The change and the note of its answer are one transaction under a lock of the key, so a process that dies leaves
neither. A repeated request gets the same status and body, with the header `Idempotent-Replayed: true`; secrets were
shown once and are null in it. Only what succeeded is noted: a request that failed may be sent again as it was. Who may
not ask for the change any more is told so, as if it were the first time: a noted answer opens nothing.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from projects.models import IdempotentAnswer, User

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
SECRETS = ("secret",)  # fields of answers that are shown once
PARAMETER = OpenApiParameter(
    HEADER,
    str,
    "header",
    description="A text of your own, such as a UUID: the same request with it is carried out once within 24 hours, and"
    " answered the same again, except that secrets are null.",
)

Handler = Callable[..., Response]
Check = Callable[..., object]


class StillRunning(APIException):
    status_code = 409
    default_detail = "A request with this Idempotency-Key is being carried out: wait for its answer."
    default_code = "still_running"


class UsedForAnother(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key belongs to another request: take a new one."
    default_code = "used_for_another"


def idempotent(check: Check) -> Callable[[Handler], Handler]:
    """For the methods of a view that change something. Without the header they run as they are.

    `check` takes what the method takes and raises what it raises when the person may not ask for this; it stands
    between a repeated request and the noted answer. The request's user must be a person, which the view's permission
    class sees to.
    """
    return lambda handler: _idempotent(handler, check)


def _idempotent(handler: Handler, check: Check) -> Handler:
    @wraps(handler)
    def once(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            raise serializers.ValidationError({HEADER: ["Write 1 to 255 visible ASCII characters."]})
        assert isinstance(request.user, User)  # noqa: S101
        with transaction.atomic():
            _lock(request.user, key)
            digest = _digest(request)
            known = IdempotentAnswer.objects.filter(user=request.user, key=key).first()
            if known is not None and known.created_at > now() - KEPT:
                check(request, *args, **kwargs)
                return _again(known, digest)
            response = handler(view, request, *args, **kwargs)
            if response.status_code < 400:
                note = {"digest": digest, "status": response.status_code, "body": _without_secrets(response.data)}
                IdempotentAnswer.objects.update_or_create(
                    user=request.user, key=key, defaults={**note, "created_at": now()}
                )
            return response

    return once


def remove_old_answers() -> int:
    """Delete what was noted more than KEPT ago; how many rows these were."""
    removed, _by_model = IdempotentAnswer.objects.filter(created_at__lt=now() - KEPT).delete()
    return removed


def _lock(user: User, key: str) -> None:
    """Until the transaction ends. Raises StillRunning when another one holds it."""
    number = int.from_bytes(hashlib.sha256(f"{user.pk} {key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        [held] = cursor.fetchone()
    if not held:
        raise StillRunning


def _digest(request: Request) -> str:
    """The same for requests that ask for the same, however their JSON is written."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(f"{request.method} {request.get_full_path()} ".encode() + body).hexdigest()


def _again(known: IdempotentAnswer, digest: str) -> Response:
    if known.digest != digest:
        raise UsedForAnother
    return Response(known.body, status=known.status, headers={"Idempotent-Replayed": "true"})


def _without_secrets(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return orjson.loads(orjson.dumps({name: None if name in SECRETS else value for name, value in body.items()}))
