"""How often one address may offer a password, key or link: pages and API share one count (rates.py)."""

import time
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from .rates import Limit, Usage, take
from .throttle import client_address

View = Callable[..., HttpResponseBase]


def credential_limit() -> Limit:
    """Of one address, to what takes a password or key; 0: none."""
    return Limit("auth", settings.AUTH_REQUESTS_PER_MINUTE)


def address_of(request: HttpRequest) -> str:
    """Whose requests count together."""
    return f"address:{client_address(request)}"


def seconds_left(usage: Usage) -> int:
    """How long to wait until the window is over; at least 1."""
    return max(1, ceil(usage.reset - time.time()))


def limits_posts(view: View) -> View:
    """A page whose form takes what can be guessed: above the limit 429 with Retry-After, and the form is not read."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        limit = credential_limit()
        if request.method == "POST" and limit.requests:
            usage = take(limit, address_of(request))
            if not usage.allowed:
                response = render(request, "projects/too_many.html", {"seconds": seconds_left(usage)}, status=429)
                response["Retry-After"] = str(seconds_left(usage))
                return response
        return view(request, *args, **kwargs)

    return wrapped
