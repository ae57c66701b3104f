"""Supabase Auth as far as the portal asks it: who has this token, and does it confirm addresses unseen?"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID


@dataclass
class SupabaseAuth:
    """`people` by token. `asked` has each request as (path, apikey, bearer)."""

    url: str = ""
    autoconfirms: bool | None = False
    status: int = 200
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)


def person(user_id: UUID, email: str, **changes: Any) -> dict[str, Any]:
    """Somebody who signed up with a password and opened the link in the e-mail, as `GET /auth/v1/user` answers."""
    return {
        "id": str(user_id),
        "aud": "authenticated",
        "role": "authenticated",
        "email": email,
        "email_confirmed_at": "2026-11-20T08:00:00.123456Z",
        "phone": "",
        "confirmed_at": "2026-11-20T08:00:00.123456Z",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {"email": email, "email_verified": True},
        "identities": [identity("email", email, verified=False)],
        "is_anonymous": False,
        **changes,
    }


def identity(provider: str, email: str, *, verified: bool) -> dict[str, Any]:
    return {"provider": provider, "identity_data": {"email": email, "email_verified": verified, "sub": "1"}}


@contextmanager
def supabase_auth() -> Iterator[SupabaseAuth]:
    """A real HTTP server on a free port of this machine."""
    stub = SupabaseAuth()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            stub.asked.append((self.path, self.headers.get("apikey", ""), bearer))
            if self.path == "/auth/v1/settings":
                self._answer(stub.status, {"mailer_autoconfirm": stub.autoconfirms, "disable_signup": False})
            elif self.path == "/auth/v1/user" and bearer in stub.people:
                self._answer(stub.status, stub.people[bearer])
            else:
                self._answer(403, {"code": 403, "error_code": "bad_jwt", "msg": "invalid JWT"})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing: tests read `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
