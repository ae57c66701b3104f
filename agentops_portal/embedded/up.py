"""`manage.py up` without Django's applications: the checks, the order of the start, and the lines at its end.

It runs in a process of its own that loads nothing but the settings (about 30 MB instead of 100); all that needs
Django's applications, such as migrations, happens in commands that end.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agentops_portal.addresses import LOCALHOST, listening
from agentops_portal.permissions import left_by_another_user, refusal

from .lock import AlreadyRunning, portal_lock
from .log import PORTAL, Log
from .panel import ready_panel
from .password import provide_clickhouse_password
from .ports import Listener, PortProblem, check_ports
from .postgres import PostgresError
from .processes import management, services, stores
from .run import ProcessFailed
from .supervisor import Supervisor

FREE_BYTES = 512 * 2**20
KILLED_SUPERVISOR_PATIENCE = 10  # seconds that the processes of a killed supervisor may need to end


class StartProblem(Exception):
    """Why the portal cannot start on this machine, in one sentence with the way out."""


def check_folder(var: Path) -> None:
    """Make the portal's data folder.

    Raises StartProblem when it, or something in it, cannot be written, and when its disk is nearly full.
    """
    try:
        var.mkdir(mode=0o755, parents=True, exist_ok=True)
        probe = var / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartProblem(refusal(var, error, var)) from error
    if path := left_by_another_user(var):
        raise StartProblem(refusal(path, PermissionError(), var))
    free = shutil.disk_usage(var).free
    if free < FREE_BYTES:
        raise StartProblem(
            f"The disk of {var} has {free // 2**20} MiB left and the portal needs {FREE_BYTES // 2**20}: "
            "free some space, or set PORTAL_VAR to a folder on another disk."
        )


def listeners() -> list[Listener]:
    """The ports that the portal's processes will listen on."""
    found = [
        Listener(variable, port, address, "PORTAL_HOST")
        for variable, port in (
            ("PORTAL_PORT", settings.PORTAL_PORT),
            ("OTLP_HTTP_PORT", settings.OTLP_HTTP_PORT),
            ("OTLP_GRPC_PORT", settings.OTLP_GRPC_PORT),
        )
        for address in listening(settings.PORTAL_HOST)
    ]
    if settings.POSTGRES_IS_EMBEDDED:
        found.append(Listener("POSTGRES_PORT", settings.POSTGRES_PORT))
    if settings.CLICKHOUSE_IS_EMBEDDED:
        port = settings.CLICKHOUSE_HTTP_PORT
        found += [Listener("CLICKHOUSE_HTTP_PORT", port, address) for address in listening(LOCALHOST)]
    return found


async def up(log: Log, demo: bool) -> None:
    """Start everything, print how to use it, and keep it running until this task is cancelled.

    Raises ProcessFailed.
    """
    async with Supervisor(log) as supervisor:
        try:
            await _start(supervisor, log, demo)
            await supervisor.wait()
        finally:
            log.line(PORTAL, "Stopping")


async def _start(supervisor: Supervisor, log: Log, demo: bool) -> None:
    for store in stores():
        async with log.step(f"Starting {store.name}"):
            await supervisor.start(store)
    async with log.step("Preparing the databases, static files and the first project"):
        access = _access(await supervisor.run(management("prepare", "--json"), returns_output=True))
    async with log.step("Starting web, otlp, worker and beat"):
        await supervisor.start(*services())
    if demo and _demo_is_due(first_start=access["password"] is not None):
        async with log.step("Sending several days of sample traffic (`make up DEMO=0` does without)"):
            await _load_demo(supervisor, log)
    log.console.print(ready_panel(access))


def _access(output: str) -> dict[str, Any]:
    try:
        access: dict[str, Any] = json.loads(output)
    except ValueError:
        raise ProcessFailed("`manage.py prepare --json` printed no result: run it by hand to see why.") from None
    return access


def _demo_is_due(first_start: bool) -> bool:
    """Whether the sample traffic is to be sent: at the first start, and again after one that was interrupted."""
    if first_start:
        _pending_demo().touch()
    return _pending_demo().exists()


def _pending_demo() -> Path:
    return Path(settings.PORTAL_VAR / "demo.pending")


async def _load_demo(supervisor: Supervisor, log: Log) -> None:
    try:
        await supervisor.run(management("demo"))
        _pending_demo().unlink()
    except ProcessFailed as failure:
        log.line(PORTAL, f"No sample traffic: {failure} The portal works without; the next start tries again.")


async def _run_until_stopped(log: Log, demo: bool) -> None:
    task = asyncio.create_task(up(log, demo))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The first one stops in order, which takes 10 s at most; more of them change nothing.
        loop.add_signal_handler(number, _cancel_once, task)
    with suppress(asyncio.CancelledError):
        await task
    log.line(PORTAL, "Stopped")


def _cancel_once(task: asyncio.Task[None]) -> None:
    if not task.cancelling():
        task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="manage.py up", description="Run the portal in the foreground.")
    parser.add_argument("--no-demo", action="store_true", help="no sample traffic at the first start")
    options = parser.parse_args()
    log = Log()
    try:
        check_folder(settings.PORTAL_VAR)
        with portal_lock(settings.PORTAL_VAR, settings.PORTAL_URL) as unclean:
            check_ports(listeners(), patience=KILLED_SUPERVISOR_PATIENCE if unclean else 0)
            provide_clickhouse_password()
            asyncio.run(_run_until_stopped(log, demo=not options.no_demo))
    except (AlreadyRunning, ImproperlyConfigured, PortProblem, PostgresError, ProcessFailed, StartProblem) as problem:
        log.console.print(f"\n{problem}", style="bold red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:  # before anything was started
        sys.exit(130)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")
    main()
