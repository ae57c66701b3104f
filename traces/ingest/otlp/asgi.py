"""Entry point of the receiver process: `granian --interface asgi traces.ingest.otlp.asgi:application`.

HTTP is granian's; gRPC listens beside it in the same process, so that both join the same inserts.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")
django.setup()

from django.conf import settings  # noqa: E402

from agentops_portal.body_patience import BodyPatience  # noqa: E402
from agentops_portal.postgres_waiting import limit_waiting  # noqa: E402

from . import grpc  # noqa: E402
from .http import Receive, Scope, Send  # noqa: E402
from .http import application as http  # noqa: E402

GRACE_SECONDS = 5.0

limit_waiting()


patient = BodyPatience(http)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        await patient(scope, receive, send)
        return
    server, _port = await grpc.start(settings.PORTAL_HOST, settings.OTLP_GRPC_PORT)

    async def receive_after_grpc() -> object:
        event = await receive()
        if event["type"] == "lifespan.shutdown":
            await server.stop(GRACE_SECONDS)  # what it has taken is stored before the committer closes
        return event

    await http(scope, receive_after_grpc, send)  # type: ignore[arg-type]
