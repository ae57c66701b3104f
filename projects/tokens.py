"""Project tokens: the JWT that the agentops SDK gets for its API key and sends with every export.

The claims are AgentOps' own, but for `api_key`: the token names its key instead of carrying it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac

from .models import ApiKey

ALGORITHM = "HS256"
AUDIENCE = "authenticated"
PLAN = "pro"  # the SDK prints an advertisement for every other value
LIFETIME = timedelta(days=30)  # the SDK never renews its token


class InvalidToken(Exception):
    """Not a token of ours, or one that no longer counts. The text is the one AgentOps' API answers with."""


@dataclass(frozen=True, slots=True)
class ProjectToken:
    """A token whose signature, audience and expiry were right; its key may have ended since."""

    project_id: UUID
    key_id: UUID
    expires_at: datetime
    claims: dict[str, Any]


def issue_project_token(key: ApiKey) -> str:
    """A token that opens the project of `key` for 30 days, unless the key ends before."""
    return sign_project_token(key_id=key.pk, project_id=key.project_id)


def sign_project_token(*, key_id: UUID, project_id: UUID) -> str:
    claims = {
        "exp": int((datetime.now(UTC) + LIFETIME).timestamp()),
        "aud": AUDIENCE,
        "project_id": str(project_id),
        "project_prem_status": PLAN,
        "key_id": str(key_id),
    }
    return jwt.encode(claims, signing_key(), algorithm=ALGORITHM)


def read_project_token(token: str) -> ProjectToken:
    """Check signature, audience, expiry and claims. Raises InvalidToken; whether the key still counts is
    `credentials.authenticate`'s matter.
    """
    try:
        claims = jwt.decode(
            token,
            signing_key(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["exp", "aud", "project_id", "key_id"]},
        )
        return ProjectToken(
            project_id=UUID(claims["project_id"]),
            key_id=UUID(claims["key_id"]),
            expires_at=datetime.fromtimestamp(claims["exp"], tz=UTC),
            claims=claims,
        )
    except jwt.ExpiredSignatureError as error:
        raise InvalidToken("Token has expired") from error
    except jwt.InvalidAudienceError as error:
        raise InvalidToken("Invalid audience") from error
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidToken("Invalid token") from error


def signing_key() -> bytes:
    """JWT_SECRET_KEY, which other services may share, or a key derived from SECRET_KEY."""
    if settings.JWT_SECRET_KEY:
        return str(settings.JWT_SECRET_KEY).encode()
    return salted_hmac("projects.tokens", "HS256", algorithm="sha256").digest()
