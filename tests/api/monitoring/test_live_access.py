"""Who may listen, by which credential, and how soon that ends when the credential does."""

import time
from collections.abc import Iterator
from socket import create_connection
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from projects import credential_cache, credentials
from projects.models import Membership
from projects.services import create_api_key, delete_project, revoke_api_key
from projects.tokens import issue_project_token
from tests.cast import Cast
from traces.live import asgi

from .live_server import LiveServer, close_of, live_server, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture
def live(cast: Cast) -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "KEY_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(asgi, "SESSION_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(credentials, "ASK_AGAIN_SECONDS", 0.1)


def assert_open(live: LiveServer, sockets: int = 1) -> None:
    for _ in range(500):
        if live.sockets == sockets:
            return
        time.sleep(0.02)
    raise AssertionError(f"{live.sockets} sockets listen, not {sockets}")


def test_keys_and_tokens_open_their_project_wherever_they_stand(live: LiveServer, cast: Cast) -> None:
    issued = create_api_key(project=cast.project, name="reader", scopes=["read"])
    token, project = issue_project_token(issued.key), cast.project.pk

    for secret in (issued.secret, token):
        with live.with_key(project, secret):
            assert_open(live)
        assert_open(live, 0)
        with live.connect(project, query=f"?token={secret}"):
            assert_open(live)
        assert_open(live, 0)
        with live.connect(project, subprotocols=[Subprotocol("bearer"), Subprotocol(secret)]) as socket:
            assert socket.subprotocol == "bearer"
            assert_open(live)
        assert_open(live, 0)
    with live.connect(project, additional_headers={"x-api-key": issued.secret}):
        assert_open(live)


@pytest.mark.parametrize("person", ["alice", "ann", "bob", "bo", "root"])
def test_members_listen_with_their_session(live: LiveServer, cast: Cast, person: str) -> None:
    with live.with_session(cast.project.pk, signed_in(cast[person])):
        assert_open(live)


def test_without_a_credential_nobody_listens(live: LiveServer, cast: Cast) -> None:
    with live.connect(cast.project.pk) as socket:
        assert close_of(socket) == (4401, "User is not authenticated.")
    with live.connect(cast.project.pk, additional_headers={"Cookie": "session_id=nonsense"}) as socket:
        assert close_of(socket)[0] == 4403  # a cookie without an Origin
    with live.with_key(cast.project.pk, str(uuid4())) as socket:
        assert close_of(socket)[0] == 4401
    with live.with_key(cast.project.pk, "a.b.c") as socket:
        assert close_of(socket)[0] == 4401


def test_a_session_that_ended_is_4401(live: LiveServer, cast: Cast) -> None:
    client = signed_in(cast.bob)
    client.session.flush()

    with live.with_session(cast.project.pk, client) as socket:
        assert close_of(socket) == (4401, "User's session has expired.")


def test_a_key_without_the_scope_read_is_4403(live: LiveServer, cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret

    with live.with_key(cast.project.pk, key) as socket:
        assert close_of(socket)[0] == 4403


def test_what_belongs_to_others_or_is_no_project_is_4404(live: LiveServer, cast: Cast) -> None:
    key = create_api_key(project=cast.foreign_project, name="theirs").secret
    with live.with_session(cast.project.pk, signed_in(cast.charlie)) as socket:
        assert close_of(socket) == (4404, "Project not found")
    for project in (cast.project.pk, uuid4(), "x", "%00", "'--"):
        with live.with_key(project, key) as socket:
            assert close_of(socket) == (4404, "Project not found")


@pytest.mark.parametrize("origin", ["", "https://evil.example.com", "null", "http://127.0.0.1", "http://[::1"])
def test_a_page_of_another_origin_cannot_use_the_session(live: LiveServer, cast: Cast, origin: str) -> None:
    with live.with_session(cast.project.pk, signed_in(cast.bob), origin=origin) as socket:
        assert close_of(socket)[0] == 4403


@pytest.mark.parametrize("host", ["evil.example.com", ".", "127.0.0.1.evil.example.com"])
def test_a_page_that_has_its_name_point_here_cannot_use_the_session(live: LiveServer, cast: Cast, host: str) -> None:
    """Its origin is the host that it asks, as that of the portal's own pages is; but the portal has no such name."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in signed_in(cast.bob).cookies.items())
    connection = create_connection(("127.0.0.1", live.port))

    with connect(
        f"ws://{host}:{live.port}/api/monitoring/ws/{cast.project.pk}",
        sock=connection,
        proxy=None,
        origin=Origin(f"http://{host}:{live.port}"),
        additional_headers={"Cookie": cookie},
    ) as socket:
        assert close_of(socket)[0] == 4403


def test_another_address_is_no_socket(live: LiveServer) -> None:
    for path in ("/", "/v1/traces", "/api/monitoring/ws", "/api/v1/ws/x"):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{live.port}{path}", proxy=None)
        assert refused.value.response.status_code == 403


def test_both_prefixes_lead_here(live: LiveServer, cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="reader").secret
    address = f"ws://127.0.0.1:{live.port}/api/agentops/ws/{cast.project.pk}?token={key}"

    with connect(address, proxy=None):
        assert_open(live)


@pytest.mark.usefixtures("quick_checks")
@pytest.mark.parametrize("end", ["revoked", "project deleted"])
def test_a_key_that_ends_ends_its_socket(live: LiveServer, cast: Cast, end: str) -> None:
    issued = create_api_key(project=cast.project, name="reader")
    with live.with_key(cast.project.pk, issued.secret) as socket:
        assert_open(live)
        if end == "revoked":
            revoke_api_key(key=issued.key)
        else:
            delete_project(project=cast.project)

        assert close_of(socket)[0] == 4401


@pytest.mark.usefixtures("quick_checks")
def test_a_session_that_ends_ends_its_socket(live: LiveServer, cast: Cast) -> None:
    client = signed_in(cast.bob)
    with live.with_session(cast.project.pk, client) as socket:
        assert_open(live)
        client.logout()

        assert close_of(socket)[0] == 4401


@pytest.mark.usefixtures("quick_checks")
def test_a_member_who_is_removed_hears_no_more(live: LiveServer, cast: Cast) -> None:
    with live.with_session(cast.project.pk, signed_in(cast.bob)) as socket:
        assert_open(live)
        Membership.objects.filter(user=cast.bob).delete()

        assert close_of(socket)[0] == 4404


def test_whatever_ends_is_noticed_within_thirty_seconds() -> None:
    assert credential_cache.ASK_AGAIN_SECONDS + asgi.KEY_CHECK_SECONDS <= 28
    assert asgi.SESSION_CHECK_SECONDS <= 28
