import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_portal.clickhouse.client import get_client
from projects import credentials
from projects.models import Project
from projects.services import create_api_key
from tests.receiver import entry_of
from traces.ingest.inbox.commit import GroupCommitter
from traces.ingest.inbox.worker import Decoder
from traces.ingest.otlp import receiver

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import stored_spans

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

BODY = (PAYLOADS / "litellm-1.80.5.pb").read_bytes()


def count(tenant: Tenant) -> int:
    ((number,),) = (
        get_client()
        .query(
            "SELECT count() FROM otel_traces WHERE project_id = {project:String}",
            parameters={"project": str(tenant.project_id)},
        )
        .result_rows
    )
    return int(number)


def new_committer() -> GroupCommitter:
    return GroupCommitter(Decoder(lambda entry: None, lambda entry, reason: None))


def test_the_same_bytes_sent_again_are_stored_once(otlp: Receiver, tenant: Tenant) -> None:
    for _ in range(3):
        assert otlp.post(BODY, tenant.key).status_code == 200

    assert count(tenant) == 63


def test_the_same_bytes_sent_at_once_are_stored_once(otlp: Receiver, tenant: Tenant) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: otlp.post(BODY, tenant.key).status_code, range(8)))

    assert answers == [200] * 8
    assert count(tenant) == 63


def test_another_process_knows_what_was_stored(otlp: Receiver, tenant: Tenant) -> None:
    otlp.post(BODY, tenant.key)
    receiver.committer.cache_clear()  # a new committer has no memory of its own

    assert otlp.post(BODY, tenant.key).status_code == 200
    assert count(tenant) == 63


def test_the_same_bytes_of_two_projects_are_stored_for_both(otlp: Receiver, tenant: Tenant) -> None:
    first = Project.objects.get(pk=tenant.project_id)
    other = Project.objects.create(organization=first.organization, name="Other")
    other_key = create_api_key(project=other, name="test").secret
    credentials.authenticate(other_key)  # here, where its row is seen

    otlp.post(BODY, tenant.key)
    otlp.post(BODY, other_key)

    assert len(stored_spans(tenant.project_id)) == len(stored_spans(other.pk)) == 63


def test_a_duplicate_does_not_take_its_neighbours_along(otlp: Receiver, tenant: Tenant) -> None:
    otlp.post(BODY, tenant.key)
    fresh = ExportTraceServiceRequest()
    span = fresh.resource_spans.add().scope_spans.add().spans.add(trace_id=os.urandom(16), span_id=os.urandom(8))
    span.name = "new"

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda body: otlp.post(body, tenant.key), (BODY, fresh.SerializeToString())))

    assert count(tenant) == 64


def test_a_committer_stores_what_waits_before_it_closes(tenant: Tenant) -> None:
    committer = new_committer()
    done = committer.submit(entry_of(tenant.project_id, BODY))
    committer.close()

    assert done.result(timeout=0) is None
    assert count(tenant) == 63


def test_a_client_that_gives_up_does_not_harm_the_batch_it_was_in(tenant: Tenant) -> None:
    committer = new_committer()
    gone = committer.submit(entry_of(tenant.project_id, BODY))
    other = committer.submit(entry_of(tenant.project_id, (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()))
    gone.cancel()
    committer.close()

    assert other.result(timeout=0) is None
    assert count(tenant) == 71
