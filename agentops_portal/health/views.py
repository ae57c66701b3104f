"""Alive, ready, measured."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import stores

PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded")


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """The process runs; it asks nobody else, so that an outage of a store restarts nothing."""
    return JsonResponse({"message": "Server Up", "status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Both stores answer a query: 200, else 503 with the cause for each store that does not."""
    problems = stores.problems()
    body = {store: problems.get(store, "ok") for store in ("postgres", "clickhouse")}
    return JsonResponse({"status": "unavailable" if problems else "ok", **body}, status=503 if problems else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for this machine or for whoever has METRICS_TOKEN."""
    if not _may_read_metrics(request):
        return HttpResponse(
            "Metrics are served to this machine only: set METRICS_TOKEN and send it as a bearer token.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return constant_time_compare(given, settings.METRICS_TOKEN)
    if any(header in request.headers for header in PROXY_HEADERS):
        return False  # a proxy on this machine speaks for a stranger
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
