"""How often the API may be asked (settings/api.py). Above the limit: 429 with Retry-After."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from projects.credentials import Credential
from projects.limits import address_of, credential_limit, seconds_left
from projects.models import User
from projects.rates import Limit, Usage, take

_ATTRIBUTE = "portal_rate_usage"


def usage_of(request: HttpRequest) -> Usage | None:
    """How this request counted, if it did: for the headers of the answer."""
    return getattr(request, _ATTRIBUTE, None)


class PortalThrottle(BaseThrottle):
    """Base: `limit` says how often, `who` names whose requests count together."""

    usage: Usage | None = None

    def limit(self) -> Limit:
        raise NotImplementedError

    def who(self, request: Request) -> str:
        return address_of(request._request)

    def allow_request(self, request: Request, view: object) -> bool:
        limit = self.limit()
        if not limit.requests:
            return True
        self.usage = take(limit, self.who(request))
        setattr(request._request, _ATTRIBUTE, self.usage)
        return self.usage.allowed

    def wait(self) -> float | None:
        return seconds_left(self.usage) if self.usage else None


class ApiThrottle(PortalThrottle):
    """Of one key, one person, or one address that shows neither."""

    def limit(self) -> Limit:
        return Limit("api", settings.API_REQUESTS_PER_MINUTE)

    def who(self, request: Request) -> str:
        if isinstance(request.auth, Credential):
            return f"key:{request.auth.key_id}"
        return f"user:{request.user.pk}" if isinstance(request.user, User) else super().who(request)


class CredentialThrottle(PortalThrottle):
    """Of one address, to what takes a password or key; the pages' forms count with it."""

    def limit(self) -> Limit:
        return credential_limit()


class InvitationThrottle(PortalThrottle):
    """Of one address: many accounts of one person are no way around the limit of an account."""

    def limit(self) -> Limit:
        return Limit("invite", 4 * settings.INVITATIONS_PER_DAY, seconds=24 * 3600)


class MailThrottle(PortalThrottle):
    """Of one address, to what sends an e-mail."""

    def limit(self) -> Limit:
        return Limit("mail", settings.AUTH_MAILS_PER_HOUR, seconds=3600)
