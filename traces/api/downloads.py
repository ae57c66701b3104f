"""Files that are sent while they are written."""

from collections.abc import AsyncIterator, Iterator
from itertools import chain

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from rest_framework.request import Request

from agentops_portal.clickhouse.gate import Scope
from projects.models import Project


def download(request: Request, pieces: Iterator[bytes], *, filename: str, content_type: str) -> StreamingHttpResponse:
    """An answer that the browser stores as a file: `streamed`, with a name."""
    response = streamed(request, pieces, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, filename) or ""
    return response


def streamed(request: Request, pieces: Iterator[bytes], *, content_type: str) -> StreamingHttpResponse:
    """An answer that is sent while it is written. What is raised before the first piece is raised here.

    An error in the middle breaks off the connection: the status has been sent, and a client must not take a part for
    the whole.
    """
    whole = chain([next(pieces, b"")], pieces)
    # Django would read a plain iterator to its end before it sent any of it.
    content = _in_thread(whole) if isinstance(request._request, ASGIRequest) else whole
    response = StreamingHttpResponse(content, content_type=content_type)
    response["X-Accel-Buffering"] = "no"  # nginx: pass it on as it comes
    return response


def export_name(project: Project, scope: Scope, extension: str) -> str:
    """traces-support-bot-20261101-20261123.csv"""
    name = slugify(project.name, allow_unicode=True) or str(project.pk)
    return f"traces-{name}-{scope.start:%Y%m%d}-{scope.end:%Y%m%d}.{extension}"


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(_next)
    while piece := await read(pieces):
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")
