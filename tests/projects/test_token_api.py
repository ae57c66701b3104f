import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from projects.services import create_api_key, revoke_api_key
from projects.tokens import issue_project_token, signing_key
from tests.cast import Cast

URL = "/v3/auth/token"


def post(body: Any) -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    client = Client(enforce_csrf_checks=True)  # the SDK has no CSRF token
    return client.post(URL, content, content_type="application/json")


def verify(authorization: str | None) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client().get(URL, headers=headers)


@pytest.fixture
def secret(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="sdk").secret


def test_a_key_becomes_a_token_for_its_project(cast: Cast, secret: str) -> None:
    answer = post({"api_key": secret})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    body = answer.json()
    assert body.keys() == {"token", "project_id", "project_prem_status"}
    assert (body["project_id"], body["project_prem_status"]) == (str(cast.project.pk), "pro")


def test_the_token_lasts_30_days_and_does_not_carry_the_key(cast: Cast, secret: str) -> None:
    token = post({"api_key": secret}).json()["token"]
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"exp", "aud", "project_id", "project_prem_status", "key_id"}
    assert (claims["aud"], claims["project_id"]) == ("authenticated", str(cast.project.pk))
    assert claims["exp"] == pytest.approx((now() + timedelta(days=30)).timestamp(), abs=60)
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()
    assert secret not in payload


@pytest.mark.parametrize("text", ["", "sk-1234", "not-a-uuid", "a.b.c", "1"])
def test_a_key_that_is_no_uuid_is_400(db: None, text: str) -> None:
    answer = post({"api_key": text})
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid API key format"})


def test_an_unknown_key_is_403(db: None) -> None:
    answer = post({"api_key": str(uuid4())})
    assert (answer.status_code, answer.json()) == (403, {"error": "Invalid API key"})


def test_a_revoked_key_is_403(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="sdk")
    revoke_api_key(key=issued.key)
    answer = post({"api_key": issued.secret})
    assert (answer.status_code, answer.json()) == (403, {"error": "Invalid API key"})


@pytest.mark.parametrize(
    ("body", "kind", "where"),
    [
        ({}, "missing", ["body", "api_key"]),
        ({"apikey": "my-secret"}, "missing", ["body", "api_key"]),
        ({"api_key": None}, "string_type", ["body", "api_key"]),
        ({"api_key": 5}, "string_type", ["body", "api_key"]),
        ([], "model_attributes_type", ["body"]),
        ("", "json_invalid", None),
        ("{", "json_invalid", None),
        (b"\xff\xfe", "json_invalid", None),
    ],
)
def test_a_body_of_another_shape_is_422_and_names_the_field(db: None, body: Any, kind: str, where: Any) -> None:
    answer = post(body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem.keys() == {"type", "loc", "msg", "input"}
    assert problem["type"] == kind
    assert where is None or problem["loc"] == where
    assert "my-secret" not in answer.content.decode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_good_token_is_confirmed_with_its_claims(cast: Cast, secret: str, scheme: str) -> None:
    token = post({"api_key": secret}).json()["token"]
    answer = verify(f"{scheme} {token}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["message"] == "JWT token is valid"
    assert body["payload"] == jwt.decode(token, options={"verify_signature": False})
    expires_at = datetime.fromisoformat(body["expires_at"])
    assert expires_at.tzinfo is None
    assert expires_at.replace(tzinfo=UTC).timestamp() == body["payload"]["exp"]


def test_a_token_of_another_signer_or_audience_is_refused(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="sdk").key
    claims = {
        "exp": int((now() + timedelta(days=1)).timestamp()),
        "aud": "authenticated",
        "project_id": str(cast.project.pk),
        "key_id": str(key.pk),
    }
    forged = jwt.encode(claims, "x" * 32, algorithm="HS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    elsewhere = jwt.encode({**claims, "aud": "anon"}, signing_key(), algorithm="HS256")
    keyless = jwt.encode({k: v for k, v in claims.items() if k != "key_id"}, signing_key(), algorithm="HS256")
    crooked = jwt.encode({**claims, "key_id": 7}, signing_key(), algorithm="HS256")
    foreign = jwt.encode({**claims, "project_id": str(cast.foreign_project.pk)}, signing_key(), algorithm="HS256")
    for token, detail in (
        (forged, "Invalid token"),
        (unsigned, "Invalid token"),
        (elsewhere, "Invalid audience"),
        (keyless, "Invalid token"),
        (crooked, "Invalid token"),
        (foreign, "Invalid token"),
    ):
        answer = verify(f"Bearer {token}")
        assert (answer.status_code, answer.json()) == (401, {"detail": detail})


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authorization header missing"),
        ("", "Authorization header missing"),
        ("Basic abc", "Invalid authentication scheme"),
        ("Bearer", "Invalid token format"),
        ("Bearer a b", "Invalid token format"),
        ("Bearer nonsense", "Invalid token"),
        ("Bearer a.b.c", "Invalid token"),
    ],
)
def test_a_header_without_a_token_is_401_and_says_why(db: None, header: str | None, detail: str) -> None:
    answer = verify(header)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})


def test_an_expired_token_is_401(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="sdk").key
    token = issue_project_token(key)
    with time_machine.travel(now() + timedelta(days=30, seconds=1), tick=False):
        answer = verify(f"Bearer {token}")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Token has expired"})


def test_a_token_dies_with_its_key(cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="sdk")
    token = issue_project_token(issued.key)
    with time_machine.travel(now(), tick=False) as clock:
        assert verify(f"Bearer {token}").status_code == 200
        revoke_api_key(key=issued.key)
        clock.shift(timedelta(seconds=30))
        answer = verify(f"Bearer {token}")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})


def test_a_shared_secret_signs_the_tokens_when_it_is_set(cast: Cast, secret: str, settings: Settings) -> None:
    settings.JWT_SECRET_KEY = "a secret of 32 characters or more"
    token = post({"api_key": secret}).json()["token"]
    assert jwt.decode(token, settings.JWT_SECRET_KEY, algorithms=["HS256"], audience="authenticated")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_405(db: None, method: str) -> None:
    assert getattr(Client(), method)(URL).status_code == 405
