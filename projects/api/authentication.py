"""Machines sign in to the API with an API key or a project token; people with the session of the pages."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agentops_portal.api.unavailable import StoreUnavailable
from projects.credentials import (
    Credential,
    CredentialStoreUnavailable,
    InvalidCredential,
    authenticate,
    secret_from_headers,
)


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Credential` of the key or token that the request carries.

    `request.user` stays anonymous, so a view is closed to keys until its permission class (access.py) opens it.
    No key: the next class is asked. A wrong one: 401 with the reason.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Credential] | None:
        secret = secret_from_headers(request.headers)
        if secret is None:
            return None
        try:
            return AnonymousUser(), authenticate(secret)
        except InvalidCredential as error:
            raise AuthenticationFailed(str(error), code=error.reason) from None
        except CredentialStoreUnavailable as error:
            raise StoreUnavailable(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
