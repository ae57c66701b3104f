"""What the supervisor runs: each process's command, how it says that it is ready and how it is asked to stop."""

import signal
import sys
from collections.abc import Mapping

from django.conf import settings

from agentops_portal.addresses import listening, url_host

from . import postgres
from .inherited import harmless
from .readiness import Probe, connectable, file_exists, http_answers, port_answers, program_succeeds
from .run import Process

# What the supervisor allows for stopping adds up to less than 10 s: 4 for the services, 3 and 2.5 for the stores.
PYTHON = {
    "PYTHONUNBUFFERED": "1",
    "LOG_TIME": "0",
    "DJANGO_SETTINGS_MODULE": "agentops_portal.settings",
    # glibc keeps an arena of freed memory for each thread; two serve as well and keep the tree small.
    "MALLOC_ARENA_MAX": "2",
    # Who dies in native code says where.
    "PYTHONFAULTHANDLER": "1",
}
STORE_STARTS = 2  # a cause that may pass, such as a lack of memory, is no reason to show a person an error


def stores() -> list[Process]:
    """The stores that no URL names, in the order to start them."""
    found = []
    if settings.POSTGRES_IS_EMBEDDED:
        found.append(_postgres())
    if settings.CLICKHOUSE_IS_EMBEDDED:
        found.append(_clickhouse())
    return found


def services() -> list[Process]:
    """What works on the stores; they start side by side."""
    host = connectable(listening(settings.PORTAL_HOST)[0])
    web, otlp = settings.PORTAL_PORT, settings.OTLP_HTTP_PORT
    return [
        _granian(
            "web",
            "agentops_portal.asgi:application",
            web,
            http_answers(host, web, "/ready", allowed_host()),
            websockets=True,
        ),
        _granian("otlp", "traces.ingest.otlp.asgi:application", otlp, port_answers(host, otlp)),
        _celery("worker", "--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        _celery("beat", "--pidfile="),
    ]


def allowed_host() -> str:
    """A host name that the web process answers to: ALLOWED_HOSTS may leave out localhost."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"


def management(command: str, *arguments: str) -> Process:
    """A command of manage.py that runs to its end."""
    return Process(command, _python("manage.py", command, *arguments), environment=PYTHON)


def _postgres() -> Process:
    port = str(settings.POSTGRES_PORT)
    return Process(
        "postgres",
        _python(
            *(
                "-m",
                "agentops_portal.embedded.postgres",
                "--data",
                str(settings.PORTAL_VAR / "postgres"),
                "--port",
                port,
            ),
            *("--password-file", str(settings.SECRETS_DIR / "postgres_password")),
        ),
        probe=program_succeeds(
            str(postgres.binary("pg_isready")),
            *("--host=127.0.0.1", f"--port={port}", f"--username={postgres.ROLE}", f"--dbname={postgres.DATABASE}"),
        ),
        stop_signal=signal.SIGINT,  # "fast shutdown": SIGTERM would wait for clients to leave
        orphan_signal=signal.SIGINT,
        stop_seconds=2.5,
        starts=STORE_STARTS,
        inherits=harmless,  # it runs as another user, whose processes can read what it was started with
        environment=PYTHON,
    )


def _clickhouse() -> Process:
    port = settings.CLICKHOUSE_HTTP_PORT
    return Process(
        "clickhouse",
        _python(
            *("-m", "agentops_portal.embedded.clickhouse", "--data", str(settings.PORTAL_VAR / "clickhouse")),
            *("--port", str(port)),
        ),
        probe=http_answers("127.0.0.1", port, "/ping"),
        stop_seconds=3,
        starts=STORE_STARTS,
        inherits=_of_clickhouse,
        environment=PYTHON,
    )


def _of_clickhouse(environment: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in environment.items() if name.startswith("CLICKHOUSE_")}
    return harmless(environment) | own


def _granian(name: str, application: str, port: int, probe: Probe, *, websockets: bool = False) -> Process:
    address, *others = listening(settings.PORTAL_HOST)
    also = {"ALSO_LISTEN": f"{url_host(others[0])}:{port}"} if others else {}
    return Process(
        name,
        _python(
            *("-m", "agentops_portal.embedded.server", "--interface", "asgi", "--ws" if websockets else "--no-ws"),
            *("--host", address, "--port", str(port)),
            *("--workers", "1", "--runtime-threads", "1", "--log-level", "warning", "--workers-kill-timeout", "2"),
            application,
        ),
        probe=probe,
        environment=PYTHON | also,
    )


def _celery(name: str, *arguments: str) -> Process:
    ready_file = settings.PORTAL_VAR / "run" / f"{name}.ready"
    return Process(
        name,
        _python("-m", "celery", "--app=agentops_portal", "--quiet", name, *arguments),
        probe=file_exists(ready_file),
        ready_file=ready_file,
        orphan_signal=signal.SIGKILL,  # an orderly end writes to stores that are no longer there, and waits for them
        environment=PYTHON | {"READY_FILE": str(ready_file)},
    )


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)
