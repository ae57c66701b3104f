"""Entry point of the receiver process: `granian --interface asgi traces.otlp.asgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")
django.setup()

from .http import application  # noqa: E402  (needs the settings)

__all__ = ["application"]
