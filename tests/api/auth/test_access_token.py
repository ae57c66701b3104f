from typing import Any
from uuid import uuid4

import jwt
import pytest

from projects.services import create_api_key, revoke_api_key
from tests.cast import Cast

from .conftest import Post

URL = "/public/v1/auth/access_token"


def test_a_key_becomes_a_bearer(cast: Cast, post: Post) -> None:
    answer = post(URL, {"api_key": create_api_key(project=cast.project, name="mcp").secret})

    assert answer.status_code == 200
    assert answer.json().keys() == {"bearer"}
    claims = jwt.decode(answer.json()["bearer"], options={"verify_signature": False})
    assert claims["project_id"] == str(cast.project.pk)
    assert "api_key" not in claims


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        ("", 400, "api_key is required"),
        ("nonsense", 400, "Invalid api_key format"),
        ("6f1d2c3b-0000-4000-8000-000000000001", 404, "Project not found"),
    ],
)
def test_a_wrong_key_is_told_as_today(cast: Cast, post: Post, key: str, status: int, message: str) -> None:
    answer = post(URL, {"api_key": key})

    assert (answer.status_code, answer.json()) == (status, {"detail": message})


def test_a_revoked_key_is_no_key(cast: Cast, post: Post) -> None:
    issued = create_api_key(project=cast.project, name="gone")
    revoke_api_key(key=issued.key)

    assert post(URL, {"api_key": issued.secret}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"api_key": None}, {"api_key": ["x"]}, {"api_key": "x\x00"}, []], ids=repr)
def test_a_body_of_another_shape_is_422(db: None, post: Post, body: Any) -> None:
    answer = post(URL, body if body else b"{}" if body == {} else b"[]")

    assert answer.status_code == 422
    assert {fault["type"] for fault in answer.json()["detail"]}


def test_an_answer_repeats_no_secret(db: None, post: Post) -> None:
    secret = str(uuid4())

    assert secret not in post(URL, {"api_key": [secret]}).content.decode()
