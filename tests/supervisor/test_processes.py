import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from agentops_portal.embedded import processes


@pytest.mark.parametrize("hosts", [["agents.example.com"], [".example.com"], ["*"], ["*", "agents.example.com"]])
def test_readiness_is_asked_under_a_name_the_portal_answers_to(settings: Settings, hosts: list[str]) -> None:
    settings.ALLOWED_HOSTS = hosts
    request: WSGIRequest = RequestFactory().get("/ready", headers={"host": processes.allowed_host()})
    assert request.get_host() == processes.allowed_host()


def test_configured_stores_are_not_started(settings: Settings) -> None:
    settings.POSTGRES_IS_EMBEDDED = settings.CLICKHOUSE_IS_EMBEDDED = True
    assert [process.name for process in processes.stores()] == ["postgres", "clickhouse"]
    settings.POSTGRES_IS_EMBEDDED = False
    assert [process.name for process in processes.stores()] == ["clickhouse"]
    settings.CLICKHOUSE_IS_EMBEDDED = False
    assert processes.stores() == []


def test_all_processes_have_ten_seconds_to_stop_in_all() -> None:
    stores = sum(process.stop_seconds for process in processes.stores())
    assert stores + max(process.stop_seconds for process in processes.services()) < 10
