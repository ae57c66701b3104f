import logging

import pytest
from django.test import Client


def request_line(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    lines = [record.msg for record in caplog.records if record.name == "portal.request"]
    assert len(lines) == 1
    assert isinstance(lines[0], dict)
    return lines[0]


def test_a_request_leaves_one_line_without_its_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "portal.request"):
        client.get("/no/such/page?token=hunter2")
    line = request_line(caplog)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/no/such/page", 404)
    assert isinstance(line["ms"], float)
    assert "hunter2" not in str(line)


def test_the_answer_names_the_request_as_the_log_does(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "portal.request"):
        response = client.get("/no/such/page")
    assert request_line(caplog)["request_id"] == response.headers["X-Request-ID"]


def test_the_id_of_a_proxy_is_taken_over_if_it_is_harmless(client: Client) -> None:
    given = client.get("/health", headers={"X-Request-ID": "proxy-0123456789"})
    assert given.headers["X-Request-ID"] == "proxy-0123456789"
    refused = client.get("/health", headers={"X-Request-ID": "a b\tc='d'"})
    assert refused.headers["X-Request-ID"] != "a b\tc='d'"


def test_health_questions_are_not_logged_at_the_usual_level(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "portal.request"):
        client.get("/health")
    assert not [record for record in caplog.records if record.name == "portal.request"]
