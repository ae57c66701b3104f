"""Who may listen to a project: the owner of a key or token of it with the scope read, or a member with a session.

A browser sends the session cookie with a WebSocket whoever's page opens it, so the page's Origin must be known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

from projects.credentials import InvalidCredential, authenticate, secret_from_headers
from projects.models import KeyScope, Project

UNAUTHENTICATED, FORBIDDEN, NOT_FOUND = 4401, 4403, 4404
BEARER = "bearer"  # a browser cannot set headers: `new WebSocket(url, ["bearer", token])`


class Refused(Exception):
    """`code` is a close code of this application; str() says why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


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

        Raises Refused, CredentialStoreUnavailable and django.db.Error.
        """
        secret = self._secret()
        return self._project_of_key(secret) if secret else self._project_of_session()

    def _secret(self) -> str:
        return secret_from_headers(self.headers) or self.token

    def _project_of_key(self, secret: str) -> UUID:
        try:
            credential = authenticate(secret)
        except InvalidCredential as error:
            raise Refused(UNAUTHENTICATED, str(error)) from None
        if KeyScope.READ not in credential.scopes:
            raise Refused(FORBIDDEN, "This key may not read.")
        if _uuid(self.project) != credential.project_id:
            raise Refused(NOT_FOUND, "Project not found")
        return credential.project_id

    def _project_of_session(self) -> UUID:
        cookie = parse_cookie(self.headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        if not cookie:
            raise Refused(UNAUTHENTICATED, "User is not authenticated.")
        if not self._comes_from_a_known_page():
            raise Refused(FORBIDDEN, "Pages of this origin may not listen.")
        request = HttpRequest()
        request.session = SessionStore(cookie)
        user = get_user(request)
        if not user.is_authenticated or not user.is_active:
            raise Refused(UNAUTHENTICATED, "User's session has expired.")
        project_id = _uuid(self.project)
        if project_id is None or not Project.objects.visible_to(user).filter(pk=project_id).exists():
            raise Refused(NOT_FOUND, "Project not found")
        return project_id

    def _comes_from_a_known_page(self) -> bool:
        origin, host = self.headers.get("origin", ""), self.headers.get("host", "").lower()
        if origin in (*settings.CSRF_TRUSTED_ORIGINS, *settings.CORS_ALLOWED_ORIGINS):
            return True
        try:
            is_own = urlsplit(origin).netloc.lower() == host
        except ValueError:
            return False
        domain, _port = split_domain_port(host)
        return is_own and bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
