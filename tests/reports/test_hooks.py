"""Slack and webhooks: what arrives, how it is signed, and where nothing is ever sent."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from guardrails.delivery import outbound
from guardrails.delivery.outcomes import InDoubt, NotSent
from guardrails.reports.delivery import attempts
from guardrails.reports.delivery.hooks import secrets_of
from guardrails.reports.due import claim_due
from guardrails.reports.freezing import freeze
from guardrails.reports.models import Delivery, DeliveryState, Recipient, Report
from guardrails.reports.services import set_recipients
from tests.cast import Cast

from .world import DUE, MONDAY, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture(autouse=True)
def _private(settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True


def delivery_to(cast: Cast, channel: str, address: str) -> Delivery:
    schedule = weekly(cast.organization, cast.project)
    addresses = {channel: [address]}
    set_recipients(schedule=schedule, members=[], addresses=addresses, actor=None, now=MONDAY)
    claim_due(DUE)
    freeze(Report.objects.get().pk, DUE)
    return Delivery.objects.get()


def attempt(delivery: Delivery) -> Delivery:
    """Once more, whenever the last one was."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=DUE)
    attempts.deliver(delivery.pk, lambda: DUE)
    delivery.refresh_from_db()
    return delivery


def test_slack_gets_blocks_in_which_names_are_text(cast: Cast, server: HTTPServer) -> None:
    got: list[dict[str, Any]] = []
    server.expect_request("/hook").respond_with_handler(lambda request: _keep(request, got))
    cast.project.name = "<!channel> *bold* <http://evil.example|here>"
    cast.project.save()

    delivery = attempt(delivery_to(cast, "slack", server.url_for("/hook")))

    assert (delivery.state, delivery.attempts[0]["said"]) == (DeliveryState.SENT, "200 ok")
    [message] = got
    assert message["text"] == "Weekly: Guardrails blocked 3 of 6 checks (50.0 %), 200 % more than before."
    assert [block["type"] for block in message["blocks"]] == ["header", "context", "section", "section", "actions"]
    fields = [field["text"] for field in message["blocks"][3]["fields"]]
    assert "*Blocked*\n3 (+200 %)" in fields
    assert message["blocks"][1]["elements"][0]["type"] == "plain_text"  # which has neither mentions nor links
    assert message["blocks"][4]["elements"][0]["url"].endswith(f"/reports/{delivery.report_id}/")


def _keep(request: Request, got: list[dict[str, Any]]) -> Response:
    got.append(json.loads(request.data))
    return Response("ok")


def test_a_webhook_is_signed_and_keeps_its_id_when_it_is_tried_again(cast: Cast, server: HTTPServer) -> None:
    requests: list[tuple[dict[str, str], bytes]] = []

    def answer(request: Request) -> Response:
        requests.append((dict(request.headers), request.data))
        return Response("busy", status=500) if len(requests) == 1 else Response("ok")

    server.expect_request("/hook").respond_with_handler(answer)
    delivery = delivery_to(cast, "webhook", server.url_for("/hook"))

    assert attempt(delivery).state == DeliveryState.FAILED
    assert attempt(delivery).state == DeliveryState.SENT

    [secret] = secrets_of(Recipient.objects.get())
    for headers, body in requests:
        message = Webhook(secret).verify(body, headers)
        assert message["type"] == "guardrail_report.created"
        assert message["data"]["figures"] == delivery.report.figures
    assert len({headers["Webhook-Id"] for headers, _body in requests}) == 1
    assert requests[0][1] == requests[1][1]


@pytest.mark.parametrize(
    ("channel", "status", "headers", "state"),
    [
        ("webhook", 302, {"Location": "/elsewhere"}, DeliveryState.DEAD),
        ("webhook", 410, {}, DeliveryState.DEAD),
        ("webhook", 404, {}, DeliveryState.FAILED),
        ("slack", 404, {}, DeliveryState.DEAD),
        ("slack", 429, {"Retry-After": "7000"}, DeliveryState.FAILED),
    ],
)
def test_answers_that_refuse(
    cast: Cast, server: HTTPServer, channel: str, status: int, headers: dict[str, str], state: str
) -> None:
    server.expect_request("/hook").respond_with_data("no", status=status, headers=headers)

    delivery = attempt(delivery_to(cast, channel, server.url_for("/hook")))

    assert delivery.state == state
    assert len(server.log) == 1  # and no redirect was followed
    if status == 429:
        assert delivery.due_at == DUE + timedelta(seconds=7000)


def test_an_answer_without_an_end_and_one_that_does_not_come(
    cast: Cast, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    def slow(request: Request) -> Response:
        time.sleep(0.6)
        return Response("too late")

    server.expect_request("/endless").respond_with_handler(lambda request: Response(endless()))
    server.expect_request("/slow").respond_with_handler(slow)

    assert len(outbound.post(server.url_for("/endless"), b"{}", {}).text) == outbound.MOST_BYTES
    monkeypatch.setattr(outbound, "SECONDS", 0.3)
    assert attempt(delivery_to(cast, "slack", server.url_for("/slow"))).state == DeliveryState.PERHAPS
    with pytest.raises(InDoubt):
        outbound.post(server.url_for("/slow"), b"{}", {})


def test_nothing_is_sent_into_the_portals_own_network(cast: Cast, server: HTTPServer, settings: Any) -> None:
    server.expect_request("/hook").respond_with_data("ok")
    delivery = delivery_to(cast, "webhook", server.url_for("/hook"))
    settings.WEBHOOKS_MAY_BE_PRIVATE = False

    assert attempt(delivery).state == DeliveryState.DEAD
    with pytest.raises(NotSent, match="not on the public Internet"):
        outbound.post(f"https://localhost:{server.port}/hook", b"{}", {})
    assert server.log == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3"),
        *(
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1%eth0",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "::127.0.0.1",
        ),
    ],
)
def test_private_addresses(address: str) -> None:
    assert not outbound.is_public(address)
    assert outbound.is_public("93.184.215.14")
    assert outbound.is_public("2606:4700::1111")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]", "localhost"])
def test_an_address_in_another_notation_is_refused_when_it_is_saved(host: str, settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False

    assert outbound.fault_of(f"https://{host}/hook") == "it is not on the public Internet"
    assert outbound.fault_of("https://93.184.215.14/hook") == ""
