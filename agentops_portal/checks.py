"""System checks: `manage.py check --deploy` says what is wrong with an installation, with the way out.

E: it will not work. W: it works, and should not stay so; those that matter on a public address need --deploy.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from agentops_portal import preparation

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_KEY_LENGTH = 32  # characters; RFC 7518 §3.2 asks 256 bits of a key for HS256, which project tokens use

Check = Callable[..., Sequence[CheckMessage]]


def is_public() -> bool:
    """Whether people reach the portal from other machines, as far as PORTAL_URL tells."""
    return urlsplit(settings.PORTAL_URL).hostname not in LOCAL_HOSTS


@register(Tags.security)
def check_secret_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.E001: sessions and project tokens could be forged."""
    if len(settings.SECRET_KEY) >= SECRET_KEY_LENGTH:
        return []
    return [
        Error(
            f"SECRET_KEY has {len(settings.SECRET_KEY)} characters; {SECRET_KEY_LENGTH} are the least.",
            hint="Leave SECRET_KEY unset: the portal then makes one and keeps it below PORTAL_VAR.",
            id="portal.E001",
        )
    ]


@register(Tags.files)
def check_folder(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.E002: the data folder is not writable."""
    if os.access(settings.PORTAL_VAR, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"{settings.PORTAL_VAR} cannot be written by this user.",
            hint="Change its owner, or set PORTAL_VAR to another folder.",
            id="portal.E002",
        )
    ]


@register(Tags.translation)
def check_translations(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.W001: pages would show English, or older words, to people who read another language."""
    stale = preparation.stale_translations()
    if not stale:
        return []
    languages = ", ".join(file.parent.parent.name for file in stale)
    return [
        Warning(
            f"The translations are not compiled, or older than their source: {languages}.",
            hint="Run `manage.py prepare`; `make up` does.",
            id="portal.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_address(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.W002: passwords travel in the open. portal.W003: any Host header is believed."""
    found: list[CheckMessage] = []
    if is_public() and urlsplit(settings.PORTAL_URL).scheme != "https":
        found.append(
            Warning(
                f"PORTAL_URL={settings.PORTAL_URL} has people sign in over plain HTTP.",
                hint="Put a proxy with a certificate in front and set PORTAL_URL to its https:// address.",
                id="portal.W002",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Warning(
                "ALLOWED_HOSTS=* lets a stranger choose the host in the links the portal makes.",
                hint="Name the portal's own hosts; without ALLOWED_HOSTS that of PORTAL_URL and localhost are allowed.",
                id="portal.W003",
            )
        )
    return found


@register(deploy=True)
def check_mail(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.W005: nobody gets a link for a forgotten password, an invitation or a report."""
    if settings.EMAIL_IS_CONFIGURED or not is_public():
        return []
    return [
        Warning(
            "The portal sends no e-mail: people who forget their password need you, and so do those who are invited.",
            hint="Set EMAIL_URL, such as smtp+tls://user:password@smtp.example.com:587.",
            id="portal.W005",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def check_static_files(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """portal.W004: pages would lack their style, or have an older one."""
    if settings.DEBUG or not preparation.stale_static():
        return []
    return [
        Warning(
            f"The static files in {settings.STATIC_ROOT} are missing or older than their sources.",
            hint="Run `manage.py prepare`; `make up` does.",
            id="portal.W004",
        )
    ]
