"""Pages behind the links in e-mails: to confirm an address, and to get no more reports. Nobody needs an account.

Opening a link changes nothing, for mail programs open links by themselves; a button does. RFC 8058: a mail program that
offers "unsubscribe" posts to the same address, from no page and without a cookie.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from guardrails.database_clock import database_now
from projects.limits import limits_posts

from .. import unsubscribing


@require_http_methods(["GET", "POST"])
@never_cache
@limits_posts
def confirm(request: HttpRequest, recipient_id: UUID, token: str) -> HttpResponse:
    """Context: `recipient` (None: 404), `is_done`."""
    recipient = unsubscribing.recipient_of(recipient_id, token, unsubscribing.CONFIRM)
    if recipient is None:
        return render(request, "guardrails/recipient.html", {"recipient": None}, status=404)
    if request.method == "POST":
        unsubscribing.confirm(recipient, database_now())
    is_done = recipient.confirmed_at is not None and recipient.unsubscribed_at is None
    return render(request, "guardrails/recipient.html", {"recipient": recipient, "act": "confirm", "is_done": is_done})


@csrf_exempt  # the token is what proves it, and a mail program has no other
@require_http_methods(["GET", "POST"])
@never_cache
@limits_posts
def unsubscribe(request: HttpRequest, recipient_id: UUID, token: str) -> HttpResponse:
    """Context as of `confirm`."""
    recipient = unsubscribing.recipient_of(recipient_id, token, unsubscribing.UNSUBSCRIBE)
    if recipient is None:
        return render(request, "guardrails/recipient.html", {"recipient": None}, status=404)
    if request.method == "POST":
        unsubscribing.unsubscribe(recipient, database_now())
    is_done = recipient.unsubscribed_at is not None
    context = {"recipient": recipient, "act": "unsubscribe", "is_done": is_done}
    return render(request, "guardrails/recipient.html", context)
