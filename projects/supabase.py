"""Which account a Supabase access token signs in to.

Token and account belong together by id: the account's own is Supabase's, or it stores Supabase's (`supabase_id`, which
an administrator sets in the admin). An e-mail address links them only once, only an account that is no staff, and only
when Supabase Auth itself says that the address is the person's: the claims do not (`email` is there unconfirmed too,
`user_metadata` is the person's own to write), and with confirmations switched off `email_confirmed_at` does not either.

https://supabase.com/docs/guides/auth/jwt-fields, https://github.com/supabase/auth/blob/master/openapi.yaml
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx
import jwt
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from .models import User
from .services import record

log = structlog.get_logger(__name__)

LEEWAY: Final = 10  # seconds that clocks may differ
ANSWER_SECONDS: Final = 5.0
# Providers whose word on an address counts: they have sent it a link themselves.
VOUCHING: Final = frozenset({"google", "github"})


class NotVouchedFor(Exception):
    """Supabase Auth does not say that the address is the person's; str() is for the log."""


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: UUID
    email: str  # "": none, or one that says nothing


def user_of_token(token: str) -> User | None:
    """The account that the token signs in to. Links it on the way when its address allows that, see above."""
    claims = read_token(token)
    if claims is None:
        return None
    known = list(_accounts().filter(Q(pk=claims.user_id) | Q(supabase_id=claims.user_id))[:2])
    if known:
        return known[0] if len(known) == 1 else None  # an administrator has given one id to two accounts
    if User.objects.filter(Q(pk=claims.user_id) | Q(supabase_id=claims.user_id)).exists():
        return None  # switched off, or not confirmed: its address opens nothing else
    if not claims.email:
        return None
    try:
        _vouched_for(token, claims)
    except NotVouchedFor as error:
        log.warning("a Supabase user was not linked by e-mail address", supabase_id=str(claims.user_id), why=str(error))
        return None
    return _linked(claims)


def read_token(token: str) -> Claims | None:
    """What a token says that this Supabase project has signed for a person; None for all others."""
    try:
        claims = jwt.decode(
            token,
            settings.SUPABASE_JWT_SECRET,
            algorithms=["HS256"],
            audience="authenticated",
            leeway=LEEWAY,
            options={"require": ["exp", "aud", "sub"]},
        )
        user_id = UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    if claims.get("role", "authenticated") != "authenticated" or claims.get("is_anonymous"):
        return None
    if "iss" in claims and settings.SUPABASE_JWT_ISSUER and claims["iss"] != settings.SUPABASE_JWT_ISSUER:
        return None
    return Claims(user_id, _comparable(claims.get("email")))


def _comparable(email: Any) -> str:
    """Addresses of ASCII only: the lower case of the Kelvin sign is a k, and its mailbox is somebody else's."""
    if not isinstance(email, str) or not email.isascii() or not email.isprintable() or " " in email:
        return ""
    return email.lower()


def _accounts() -> QuerySet[User]:
    return User.objects.filter(is_active=True).exclude(email_confirmed_at=None)


def _linked(claims: Claims) -> User | None:
    """The account with the address, which has the id from now on. In one statement: the account may become staff, or
    somebody else's, between a look and a change.
    """
    free = _accounts().filter(email=claims.email, is_staff=False, is_superuser=False, supabase_id=None)
    try:
        with transaction.atomic():
            if not free.update(supabase_id=claims.user_id):
                return None
            user = User.objects.get(supabase_id=claims.user_id)
            record("user.linked", actor=user, target=user.email, supabase_id=str(claims.user_id))
    except IntegrityError:  # the id was linked meanwhile
        return None
    return user


def _vouched_for(token: str, claims: Claims) -> None:
    """Return when the address is the person's as Supabase Auth has it now. Raises NotVouchedFor."""
    if not settings.SUPABASE_URL:
        raise NotVouchedFor("SUPABASE_URL is not set, so nobody can be asked.")
    with httpx.Client(
        base_url=f"{settings.SUPABASE_URL}/auth/v1", headers=_headers(), timeout=ANSWER_SECONDS
    ) as client:
        person = _asked(client, "user", token)
        if person.get("id") != str(claims.user_id) or _comparable(person.get("email")) != claims.email:
            raise NotVouchedFor("The token names another person or address than Supabase Auth does.")
        if person.get("is_anonymous") or not person.get("email_confirmed_at"):
            raise NotVouchedFor("The address is not confirmed.")
        if any(_vouches(identity, claims.email) for identity in person.get("identities") or ()):
            return
        if _asked(client, "settings").get("mailer_autoconfirm") is not False:
            raise NotVouchedFor("This Supabase confirms every address unseen (enable_confirmations is off).")


def _vouches(identity: Any, email: str) -> bool:
    """Whether a provider says so; `identity_data` is the provider's text, nothing the person can write."""
    if not isinstance(identity, dict) or identity.get("provider") not in VOUCHING:
        return False
    said = identity.get("identity_data")
    return isinstance(said, dict) and said.get("email_verified") is True and _comparable(said.get("email")) == email


def _headers() -> dict[str, str]:
    """Supabase's gateway wants its public key from everybody."""
    return {"apikey": settings.SUPABASE_ANON_KEY} if settings.SUPABASE_ANON_KEY else {}


def _asked(client: httpx.Client, path: str, token: str = "") -> dict[str, Any]:
    try:
        answer = client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})
        body = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError) as error:
        raise NotVouchedFor(f"Supabase Auth does not answer at /auth/v1/{path}: {type(error).__name__}.") from error
    if not isinstance(body, dict):
        raise NotVouchedFor(f"Supabase Auth answers /auth/v1/{path} with {answer.status_code}.")
    return body
