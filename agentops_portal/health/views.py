"""Alive, ready, measured."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import stores
from .metrics_access import REFUSAL, may_read_metrics


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
    if not may_read_metrics(request.headers, request.META.get("REMOTE_ADDR", "")):
        return HttpResponse(REFUSAL, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
