"""How a key's secret is turned into what may be stored."""

import hmac
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

PREFIX_LENGTH = 8
_SALT = "projects.ApiKey"


def canonical(secret: str) -> str | None:
    """The secret as it was issued (lower case, with dashes), or None when the text is not a UUID."""
    try:
        return str(UUID(secret))
    except ValueError:
        return None


def digest(secret: str, *, secret_key: str | None = None) -> str:
    """HMAC-SHA256 in hex, keyed from SECRET_KEY. A fast hash is enough: the secret has 122 random bits."""
    return salted_hmac(_SALT, secret, secret=secret_key, algorithm="sha256").hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Whether `stored` is the digest of `secret`, under SECRET_KEY or a key of SECRET_KEY_FALLBACKS."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any([hmac.compare_digest(digest(secret, secret_key=key), stored) for key in keys])  # noqa: C419 - no early exit
