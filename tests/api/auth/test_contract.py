import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.clickhouse.gate import ClickHouseUnavailable, QueryTimeout, QueryTooLarge
from compat.contract import (
    ContractError,
    ContractMomentField,
    ContractParameters,
    ContractView,
    PublicView,
    contract_project,
)
from projects.credentials import Credential
from projects.models import User
from projects.services import create_api_key, delete_project, revoke_api_key
from projects.tokens import issue_project_token
from tests.browser import ORIGIN
from tests.cast import Cast

Ask = Callable[..., Any]


class Person(serializers.Serializer[Any]):
    name = serializers.CharField()
    age = serializers.IntegerField(min_value=0)


class Body(ContractParameters):
    since = ContractMomentField(required=False)
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)
    order = serializers.ChoiceField(["asc", "desc"], default="asc")
    flag = serializers.BooleanField(default=True)
    words = serializers.ListField(child=serializers.CharField(), default=list)
    people = Person(many=True, required=False)
    password = serializers.CharField(required=False, write_only=True, max_length=3)


class Echo(ContractView):
    error: Exception | None = None

    def get(self, request: Request) -> Response:
        if self.error is not None:
            raise self.error
        return Response(Body.of_query(request))

    def post(self, request: Request) -> Response:
        return Response(Body.of_body(request))


class PublicEcho(PublicView):
    def get(self, request: Request) -> Response:
        assert isinstance(request.auth, Credential)
        return Response({"project": str(request.auth.project_id)})


class ProjectName(ContractView):
    def get(self, request: Request, project_id: str) -> Response:
        return Response({"name": contract_project(request, project_id).name})


@pytest.fixture
def ask(rf: RequestFactory) -> Ask:
    """`ask(path, user=…)` answers as Echo, or `view`, does."""

    def asked(
        path: str = "/", *, user: Any = None, body: Any = None, view: Any = None, headers: Any = None, **kwargs: Any
    ) -> Any:
        if body is None:
            request = rf.get(path, headers=headers)
        else:
            content = body if isinstance(body, bytes) else json.dumps(body)
            request = rf.post(path, content, content_type="application/json", headers=headers)
        request.user = user or AnonymousUser()
        answer = (view or Echo.as_view())(request, **kwargs)
        answer.render()
        return answer

    return asked


@pytest.fixture
def origin() -> dict[str, str]:
    return {"Origin": "http://testserver"}


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, json.loads(answer.content)


def test_parameters_come_checked_and_defaults_hold(cast: Cast, ask: Ask) -> None:
    status, body = said(ask("/?since=2026-11-23T09:30:00.25%2B09:00&words=a&words=b&unknown=1", user=cast.bob))

    assert status == 200
    assert body["since"] == "2026-11-23T00:30:00.250000Z"
    assert (body["words"], body["limit"], body["flag"]) == (["a", "b"], 20, True)


@pytest.mark.parametrize(
    ("query", "kind", "name", "sent"),
    [
        ("limit=0", "greater_than_equal", "limit", "0"),
        ("limit=101", "less_than_equal", "limit", "101"),
        ("limit=99999999999999999999999999999", "less_than_equal", "limit", "99999999999999999999999999999"),
        ("limit=ten", "value_error", "limit", "ten"),
        ("order=1;DROP TABLE x", "enum", "order", "1;DROP TABLE x"),
        ("since=yesterday", "value_error", "since", "yesterday"),
        ("since=%00", "value_error", "since", "\x00"),
        ("since=9999-12-31T23:59:59-14:00", "value_error", "since", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_a_wrong_parameter_is_422_and_named_as_fastapi_does(
    cast: Cast, ask: Ask, query: str, kind: str, name: str, sent: str
) -> None:
    status, body = said(ask(f"/?{query}", user=cast.bob))

    assert status == 422
    (problem,) = body["detail"]
    assert problem.keys() == {"type", "loc", "msg", "input"}
    assert (problem["type"], problem["loc"], problem["input"]) == (kind, ["query", name], sent)


def test_each_fault_of_a_body_is_told_with_its_place(cast: Cast, ask: Ask, origin: dict[str, str]) -> None:
    sent = {"people": [{"name": "a", "age": 1}, {"name": "b\x00", "age": -1}, {}], "limit": 0}
    status, body = said(ask(body=sent, user=cast.bob, headers=origin))

    assert status == 422
    assert {(tuple(one["loc"]), one["type"]) for one in body["detail"]} == {
        (("body", "limit"), "greater_than_equal"),
        (("body", "people", 1, "name"), "value_error"),
        (("body", "people", 1, "age"), "greater_than_equal"),
        (("body", "people", 2, "name"), "missing"),
        (("body", "people", 2, "age"), "missing"),
    }
    inputs = {tuple(one["loc"]): one["input"] for one in body["detail"]}
    assert inputs["body", "people", 1, "age"] == -1


def test_a_secret_is_not_repeated(cast: Cast, ask: Ask, origin: dict[str, str]) -> None:
    status, body = said(ask(body={"password": "hunter2"}, user=cast.bob, headers=origin))

    assert (status, body["detail"][0]["input"]) == (422, None)
    assert "hunter2" not in str(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "json_invalid"),
        (b"\xff", "json_invalid"),
        (b'{"limit": NaN}', "json_invalid"),
        (b'{"order": "\\ud800"}', "json_invalid"),
        (b"[" * 100_000, "json_invalid"),
        (b"[]", "model_attributes_type"),
        (b"null", "model_attributes_type"),
        (b'"text"', "model_attributes_type"),
    ],
    ids=["cut", "bytes", "nan", "surrogate", "deep", "list", "null", "text"],
)
def test_a_body_that_is_no_json_object_is_422(
    cast: Cast, ask: Ask, origin: dict[str, str], body: bytes, kind: str
) -> None:
    status, answer = said(ask(body=body, user=cast.bob, headers=origin))

    assert (status, answer["detail"][0]["type"], answer["detail"][0]["loc"]) == (422, kind, ["body"])


def test_a_body_is_json_whatever_its_type_is_called(cast: Cast, rf: RequestFactory) -> None:
    request = rf.post("/", b'{"limit": 7}', content_type="text/plain", headers={"Origin": "http://testserver"})
    request.user = cast.bob

    assert Echo.as_view()(request).data["limit"] == 7


def test_a_huge_body_is_413(cast: Cast, ask: Ask, origin: dict[str, str]) -> None:
    status, body = said(ask(body=b" " * 3_000_000, user=cast.bob, headers=origin))

    assert (status, list(body)) == (413, ["detail"])


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ContractError(409, "Not now"), 409, "Not now"),
        (ClickHouseUnavailable("ClickHouse at http://10.0.0.1:8123 is away"), 503, "Try again"),
        (QueryTimeout("slow"), 504, "shorter time range"),
        (QueryTooLarge("large"), 413, "narrower filter"),
    ],
    ids=["own", "away", "slow", "large"],
)
def test_errors_are_a_detail(cast: Cast, ask: Ask, error: Exception, status: int, words: str) -> None:
    answer = ask(view=Echo.as_view(error=error), user=cast.bob)

    assert answer.status_code == status
    assert list(json.loads(answer.content)) == ["detail"]
    assert words in json.loads(answer.content)["detail"]
    assert "10.0.0.1" not in answer.content.decode()
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_a_method_that_is_not_there_is_405_in_json(cast: Cast, rf: RequestFactory) -> None:
    request = rf.delete("/", headers={"Origin": ORIGIN})
    request.user = cast.bob
    answer = Echo.as_view()(request)

    assert (answer.status_code, list(answer.data)) == (405, ["detail"])


def test_nobody_keeps_an_answer(cast: Cast, ask: Ask) -> None:
    answer = ask(user=cast.bob)

    assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate, max-age=0"
    assert (answer["Pragma"], answer["Expires"]) == ("no-cache", "0")


def test_without_any_credential_it_is_401(db: None, ask: Ask) -> None:
    answer = ask()

    assert said(answer) == (401, {"detail": "User is not authenticated."})
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_key_and_a_token_count_in_each_header(cast: Cast, ask: Ask) -> None:
    issued = create_api_key(project=cast.project, name="reader")
    for headers in (
        {"Authorization": f"Bearer {issued.secret}"},
        {"Authorization": f"bearer {issue_project_token(issued.key)}"},
        {"x-api-key": issued.secret},
        {"X-Agentops-Api-Key": issued.secret},
    ):
        assert ask(headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Referer": "https://evil.example/http://testserver/"}, 403),
        ({"Referer": "http://[broken"}, 403),
        ({"Origin": "https://evil.example", "Referer": "http://testserver/"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://dashboard.example"}, 200),
        ({"Referer": "http://testserver/projects"}, 200),
    ],
)
def test_a_change_with_the_cookie_must_come_from_a_known_page(
    cast: Cast, ask: Ask, settings: Any, headers: dict[str, str], status: int
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example"]

    assert ask(body={}, user=cast.bob, headers=headers).status_code == status


def test_reading_with_the_cookie_needs_no_origin(cast: Cast, ask: Ask) -> None:
    assert ask(user=cast.bob, headers={"Origin": "https://evil.example"}).status_code == 200


def test_a_switched_off_account_is_nobody(cast: Cast, ask: Ask) -> None:
    cast.bob.is_active = False

    assert ask(user=cast.bob).status_code == 401


def project_answers(cast: Cast, ask: Ask, project_id: str, user: User | None, headers: Any) -> tuple[int, Any]:
    return said(ask(view=ProjectName.as_view(), user=user, headers=headers, project_id=project_id))


def test_a_project_opens_to_its_members_and_keys_only(cast: Cast, ask: Ask) -> None:
    own = {"x-api-key": create_api_key(project=cast.project, name="own").secret}
    foreign = {"x-api-key": create_api_key(project=cast.foreign_project, name="foreign").secret}
    missing = (404, {"detail": "Project not found"})
    there = (200, {"name": "Alice's agents"})
    wanted = str(cast.project.pk)

    for person in (cast.alice, cast.ann, cast.bob, cast.bo, cast.root):
        assert project_answers(cast, ask, wanted, person, None) == there
    assert project_answers(cast, ask, wanted, None, own) == there
    assert project_answers(cast, ask, wanted, cast.charlie, None) == missing
    assert project_answers(cast, ask, wanted, None, foreign) == missing
    for strange in (str(uuid4()), "", "nonsense", "\x00", "1' OR '1'='1", "é" * 36):
        assert project_answers(cast, ask, strange, cast.alice, None) == missing
    delete_project(project=cast.project)
    assert project_answers(cast, ask, wanted, cast.alice, None) == missing


def test_the_public_api_answers_400_to_strangers(cast: Cast, ask: Ask) -> None:
    view = PublicEcho.as_view()
    revoked = create_api_key(project=cast.project, name="revoked")
    revoke_api_key(key=revoked.key)
    nothing = (400, {"detail": "Missing or invalid Authorization header"})
    wrong = (400, {"detail": "Invalid Bearer token"})

    assert said(ask(view=view)) == nothing
    assert said(ask(view=view, user=cast.alice)) == nothing  # a cookie does not count
    assert said(ask(view=view, headers={"Authorization": "Basic YTpi"})) == nothing
    for secret in ("nonsense", "a.b.c", str(uuid4()), revoked.secret, issue_project_token(revoked.key)):
        assert said(ask(view=view, headers={"Authorization": f"Bearer {secret}"})) == wrong


def test_the_public_api_opens_to_keys_that_may_read(cast: Cast, ask: Ask) -> None:
    view = PublicEcho.as_view()
    reader = create_api_key(project=cast.project, name="reader")
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"])

    token = issue_project_token(reader.key)
    assert said(ask(view=view, headers={"Authorization": f"Bearer {token}"})) == (
        200,
        {"project": str(cast.project.pk)},
    )
    assert ask(view=view, headers={"Authorization": f"Bearer {sender.secret}"}).status_code == 403


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-11-23T09:30:00Z", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23 09:30:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00+09:00", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00 09:00", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("2026-11-23 09:30:00 09:00", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00.123456-03:30", datetime(2026, 11, 23, 13, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("1795426200", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        (1795426200.25, datetime(2026, 11, 23, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("1795426200250", datetime(2026, 11, 23, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(sent: Any, expected: datetime) -> None:
    assert ContractMomentField().run_validation(sent) == expected


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "11111111111111111111111111111111111111111",
        "-1",
        "1e9",
        "NaN",
        "1969-12-31T23:59:59Z",
        "2262-04-12",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00+00:01",
        True,
        None,
        [],
        {},
        float("inf"),
        "\x00",
        "２０２６-11-23",
    ],
    ids=repr,
)
def test_what_is_no_moment_is_a_fault_and_no_crash(sent: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        ContractMomentField().run_validation(sent)


@pytest.mark.parametrize("page", [{}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/x"}])
def test_a_change_with_a_session_comes_from_a_page_of_the_portal_whoever_asks(cast: Cast, page: dict[str, str]) -> None:
    """Django's test client is no exception: what it leaves out of its requests, a page of others leaves out too."""
    for headers, status in ((page, 403), ({"Referer": "http://testserver/x"}, 200), ({"Origin": ORIGIN}, 200)):
        client = Client(headers=headers)
        client.force_login(cast.alice)
        answer = client.post("/opsboard/orgs/create", {"name": "Mine"}, content_type="application/json")
        assert answer.status_code == status, answer.content
