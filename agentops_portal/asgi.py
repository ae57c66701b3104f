"""The web process: telemetry goes to the receiver, coding agents to the MCP endpoint, WebSockets to the live updates,
checks of the guardrail the short way, everything else to Django.

python -m agentops_portal.embedded.server --interface asgi agentops_portal.asgi:application
"""

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

from agentops_portal.body_limit import BodyLimit
from agentops_portal.body_patience import BodyPatience
from agentops_portal.postgres_waiting import limit_waiting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

django = get_asgi_application()  # before the receiver is imported: it needs Django's applications

from compat.litellm.guardrail import GuardrailForm  # noqa: E402
from guardrails.enforcement.api.check import CheckForm  # noqa: E402
from guardrails.enforcement.door import Door  # noqa: E402
from traces.ingest.otlp.http import application as receiver  # noqa: E402
from traces.ingest.otlp.http import is_receivers  # noqa: E402
from traces.ingest.uploads import MAX_BYTES  # noqa: E402
from traces.live.asgi import LiveUpdates  # noqa: E402
from traces.mcp.endpoint import PATH as MCP_PATH  # noqa: E402
from traces.mcp.endpoint import Endpoint  # noqa: E402

limit_waiting()
# A decision of the guardrail waits no longer than that for a page that is being made, at each step of its way; Python's
# own 5 ms are too long for it.
sys.setswitchinterval(0.001)

mcp = Endpoint()
pages = BodyLimit(django, MAX_BYTES)  # type: ignore[arg-type]  # Django's stubs want read-only messages
door = Door(pages, (GuardrailForm(), CheckForm()))
live = LiveUpdates()


async def route(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3. Django has no start-up and shutdown events: what else runs here begins and ends with the receiver."""
    if scope["type"] == "lifespan":
        await receiver(scope, _closing_the_others(receive), send)
    elif scope["type"] == "websocket":
        await live(scope, receive, send)
    elif is_receivers(scope["path"]):
        await receiver(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].rstrip("/") == MCP_PATH:
        await mcp(scope, receive, send)
    else:
        await door(scope, receive, send)


application = BodyPatience(route)


def _closing_the_others(receive: Receive) -> Receive:
    async def receive_event() -> Message:
        event = await receive()
        if event["type"] == "lifespan.shutdown":
            await live.close()
            await mcp.close()
            await door.close()
        return event

    return receive_event
