"""/openapi.json and /docs. Open to everybody: they say what the portal's source says, and nothing of its data."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from .document import document


@require_safe
@gzip_page
@cache_control(no_cache=True)
@condition(etag_func=lambda request: document().etag)
def openapi_json(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1. A client that has it already is told so by 304."""
    return HttpResponse(document().body, content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI, from the portal's own static files."""
    return render(request, "docs.html")
