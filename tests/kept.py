"""Spans that are stored once and read by any number of tests of a worker.

An insert of spans takes a tenth of a second and rows of ClickHouse stay when a test ends, so a project of PostgreSQL,
which is made for each test, takes the id under which its spans are stored already. Such a project is for reading: a
test that stores more, or deletes, stores for itself (tests/pages/spans.py).
"""

import hashlib
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

from django.apps import apps
from django.db import transaction
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_portal.clickhouse.client import current_address
from projects import credentials
from projects.models import Project
from tests.pages.spans import MS, Spanlet, recorded, request_of, trace_id
from tests.receiver import KEPT, store_body

START_NS = time.time_ns() - 60_000 * MS
_stored: dict[tuple[str | None, bytes], UUID] = {}  # by database and content


def stored_once(*requests: ExportTraceServiceRequest) -> UUID:
    """The id of a project that has the spans of these requests, stored in this order, and nothing else."""
    bodies = [request.SerializeToString(deterministic=True) for request in requests]
    content = (
        current_address().database,
        hashlib.sha256(b"".join(hashlib.sha256(body).digest() for body in bodies)).digest(),
    )
    if content not in _stored:
        project_id = uuid4()
        for body in bodies:
            store_body(project_id, body)
        _stored[content], KEPT[project_id] = project_id, requests
    return _stored[content]


def give(project: Project, *requests: ExportTraceServiceRequest) -> None:
    """Let a project have the spans of the requests, besides what it was given before.

    Its id changes, and so does that of the instance.
    """
    before = project.pk
    now = stored_once(*KEPT.get(before, ()), *requests)
    with transaction.atomic():  # foreign keys are checked at its end
        Project.objects.filter(pk=before).update(id=now)
        for model in apps.get_models():
            for field in model._meta.fields:
                if field.related_model is Project:
                    model._base_manager.filter(**{field.name: before}).update(**{field.attname: now})
    project.pk = now
    credentials.forget()  # which remember whose project a key opens


def give_trace(project: Project, spanlets: Sequence[Spanlet], number: int = 1, start_ns: int | None = None) -> str:
    """The same with one trace, a minute older than this process unless told; gives its id."""
    give(project, request_of({number: spanlets}, START_NS if start_ns is None else start_ns))
    return trace_id(number)


def give_recorded(project: Project, *names: str) -> None:
    """The same with bodies of tests/payloads, such as "litellm-1.106.2-mixed"."""
    give(project, *map(recorded, names))
