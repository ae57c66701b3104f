"""Loads sample traffic: a project, a key that lives as long as the run, and everything through the receiver."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from projects import services
from projects.models import KeyScope, Organization, Project
from traces.ingest.inbox import table as inbox
from traces.store.prices.keeping import learn
from traces.store.prices.unpriced import called_models

from .otlp import requests
from .queries import holds_sample_traffic
from .send import Sender, SendError
from .signals import sample_loaded
from .tally import Tally
from .traffic import generate

PROJECT = "Sample project"
KEY_NAME = "Sample traffic (manage.py demo)"
DAYS = 14  # the week that pages show, and the one it is compared with
TRACES = 1500
SEED = 1
STORE_SECONDS = 30

Progress = Callable[[int, int], None]  # spans taken so far, spans in all


class DemoError(Exception):
    """The sample traffic was not loaded; `str()` says why and what to do."""


@dataclass(frozen=True)
class DemoResult:
    """What was sent. `tally` is None when the project held sample traffic already and nothing was done."""

    project_id: UUID | None  # None: unknown, for the key was given and may be another portal's
    project_name: str
    tally: Tally | None
    messages: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "project_id": str(self.project_id) if self.project_id else None,
            "project": self.project_name,
            "loaded": self.tally is not None,
            "messages": self.messages,
            "seconds": round(self.seconds, 2),
            **(self.tally.as_json() if self.tally else {}),
        }


def load_demo(
    *,
    days: int = DAYS,
    traces: int = TRACES,
    seed: int = SEED,
    project: str = PROJECT,
    endpoint: str = "",
    key: str = "",
    again: bool = False,
    now: datetime | None = None,
    progress: Progress = lambda done, total: None,
) -> DemoResult:
    """Send `traces` traces of the last `days` days to this portal's receiver, or to `endpoint`.

    `project` is a name or an id. With `key` its project takes the traffic, wherever that is, and no database of this
    portal is read. A project that holds sample traffic is left alone unless `again`.
    Raises DemoError.
    """
    target = endpoint or f"http://{_reachable(settings.PORTAL_HOST)}:{settings.OTLP_HTTP_PORT}"
    moment = now or datetime.now(UTC)
    if key:
        return _send(Sender(target, key), None, "the project of the given key", days, traces, seed, moment, progress)
    found = find_or_create_project(project)
    if not again and holds_sample_traffic(found.pk):
        return DemoResult(found.pk, found.name, None)
    with _key_for(found) as secret:
        result = _send(Sender(target, secret), found.pk, found.name, days, traces, seed, moment, progress)
    _wait_until_stored(found.pk)
    learn(called_models())
    sample_loaded.send(Project, project=found, now=moment)
    return result


def _wait_until_stored(project_id: UUID) -> None:
    """The receiver answers a moment before spans can be read. Whoever ran this wants to look at them."""
    deadline = time.monotonic() + STORE_SECONDS
    while inbox.waiting(project_id) and time.monotonic() < deadline:
        time.sleep(0.05)


def find_or_create_project(project: str) -> Project:
    """The project of that id or name; the sample project is made when it does not exist. Raises DemoError."""
    active = Project.objects.active()
    try:
        found = list(active.filter(pk=UUID(project)))
    except ValueError:
        found = list(active.filter(name=project))
    if len(found) > 1:
        ids = ", ".join(str(each.pk) for each in found)
        raise DemoError(f"{len(found)} projects are named {project!r}: pass the id of one to --project ({ids}).")
    if found:
        return found[0]
    if project != PROJECT:
        raise DemoError(f"There is no project {project!r}: pass the name or id of one, or leave --project out.")
    organization = Organization.objects.order_by("created_at").first()
    if organization is None:
        raise DemoError("There is no organization yet: run `manage.py bootstrap` first.")
    return services.create_project(organization=organization, name=PROJECT)


@contextmanager
def _key_for(project: Project) -> Iterator[str]:
    """A key that can only send and ends with the run: sample data needs no secret that lives on."""
    issued = services.create_api_key(project=project, name=KEY_NAME, scopes=[KeyScope.INGEST])
    try:
        yield issued.secret
    finally:
        services.revoke_api_key(key=issued.key)


def _send(
    sender: Sender,
    project_id: UUID | None,
    name: str,
    days: int,
    traces: int,
    seed: int,
    now: datetime,
    progress: Progress,
) -> DemoResult:
    started = time.monotonic()
    recorder = generate(days=days, traces=traces, seed=seed, now=now)
    messages = list(requests(recorder.traces))
    done = 0

    def advance(spans: int) -> None:
        nonlocal done
        done += spans
        progress(done, recorder.tally.spans)

    progress(0, recorder.tally.spans)
    try:
        sender.send(messages, advance)
    except SendError as error:
        raise DemoError(f"{error} {done} of {recorder.tally.spans} spans had been sent.") from error
    return DemoResult(project_id, name, recorder.tally, len(messages), time.monotonic() - started)


def _reachable(host: str) -> str:
    """The address at which a process that listens on `host` is reached from this machine."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
