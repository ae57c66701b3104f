"""The web process: traces go to the receiver, everything else to Django.

granian --interface asgi agentops_portal.asgi:application
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

django = get_asgi_application()  # before the receiver is imported: it needs Django's applications

from traces.otlp.http import application as receiver  # noqa: E402

TRACES_PATH = "/v1/traces"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3. Start-up and shutdown concern the receiver alone: Django has no such events."""
    if scope["type"] == "lifespan" or scope["path"].rstrip("/") == TRACES_PATH:
        await receiver(scope, receive, send)
    else:
        await django(scope, receive, send)  # type: ignore[arg-type]  # its stubs want read-only messages
