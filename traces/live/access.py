"""Who may listen to a project: the owner of a key or token of it with the scope read, or a member with a session.

A browser sends the session cookie with a WebSocket whoever's page opens it, so the page's Origin must be known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from agentops_portal.origins import is_own_page
from projects.access import NotAllowed, NotSignedIn, has_scope, visible_project_id
from projects.credentials import Credential, InvalidCredential, authenticate, secret_from_headers
from projects.models import KeyScope, User
from projects.querysets import Actor

BEARER = "bearer"  # a browser cannot set headers: `new WebSocket(url, ["bearer", token])`


@dataclass(frozen=True)
class Request:
    """What a socket's opening request says of who asks and for what."""

    project: str
    headers: Mapping[str, str]  # lower-case names
    token: str  # of the query, or of the subprotocol

    @classmethod
    def of(cls, scope: Mapping[str, Any], project: str) -> "Request":
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        protocols = list(scope.get("subprotocols") or ())
        offered = protocols[1] if len(protocols) == 2 and protocols[0] == BEARER else ""
        return cls(project, headers, offered or query.get("token", [""])[0])

    @property
    def has_session_only(self) -> bool:
        return not self._secret()

    def check(self) -> UUID:
        """The project that may be listened to. Asks PostgreSQL when it must.

        Raises what projects/access.py raises, CredentialStoreUnavailable and django.db.Error.
        """
        secret = self._secret()
        actor: Actor = _reader(secret) if secret else self._user()
        return visible_project_id(actor, self.project, missing="Project not found")

    def _secret(self) -> str:
        return secret_from_headers(self.headers) or self.token

    def _user(self) -> User:
        cookie = parse_cookie(self.headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        if not cookie:
            raise NotSignedIn("User is not authenticated.")
        if not is_own_page(self.headers.get("origin", ""), host=self.headers.get("host", "")):
            raise NotAllowed("Pages of this origin may not listen.")
        request = HttpRequest()
        request.session = SessionStore(cookie)
        user = get_user(request)
        if not isinstance(user, User) or not user.is_active:
            raise NotSignedIn("User's session has expired.")
        return user


def _reader(secret: str) -> Credential:
    try:
        credential = authenticate(secret)
    except InvalidCredential as error:
        raise NotSignedIn(str(error)) from None
    if not has_scope(credential, KeyScope.READ):
        raise NotAllowed("This key may not read.")
    return credential
