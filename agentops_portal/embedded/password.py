"""The password of the embedded ClickHouse: made at the first start, kept in `.env` beside the API key."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agentops_portal.environment import generated_secret
from projects.dotenv import set_variables

VARIABLE = "CLICKHOUSE_PASSWORD"
_FILE = "clickhouse_password"


def provide_clickhouse_password() -> None:
    """Give this process, and those it starts, the password that a first start makes and writes to `.env`.

    One that is set counts, an empty one too: it is how to have none. A store from before passwords were made keeps
    having none, for its clients send none. It is kept below PORTAL_VAR as well: a `.env` that was lost gets it again.
    Raises ImproperlyConfigured when it cannot be written.
    """
    if VARIABLE in os.environ or f"{VARIABLE}_FILE" in os.environ:
        return
    is_old = (settings.PORTAL_VAR / "clickhouse").exists() and not (settings.SECRETS_DIR / _FILE).exists()
    if not settings.CLICKHOUSE_IS_EMBEDDED or is_old:
        return
    password = generated_secret(settings.SECRETS_DIR, _FILE)
    try:
        set_variables(settings.DOTENV_FILE, {VARIABLE: password})
    except OSError as error:
        raise ImproperlyConfigured(
            f"{settings.DOTENV_FILE} cannot be written ({error.strerror}), and the password of ClickHouse belongs "
            f"there: make it writable, or set {VARIABLE} yourself (empty: none)."
        ) from error
    os.environ[VARIABLE] = password
