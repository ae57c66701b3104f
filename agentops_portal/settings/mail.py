"""E-mail: none is sent until EMAIL_URL names a server; what needs it then says so instead of pretending."""

import environ
from django.core.exceptions import ImproperlyConfigured

from agentops_portal import environment as env

from .core import PORTAL_URL

SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "smtps", "submission", "consolemail", "filemail", "memorymail")

# smtp+tls://user:password@host:587, or consolemail:// to see e-mails in the log.
_url = env.text("EMAIL_URL")
EMAIL_IS_CONFIGURED = bool(_url)
if _url and _url.partition("://")[0] not in SCHEMES:
    raise ImproperlyConfigured("EMAIL_URL is not a URL of the form smtp+tls://user:password@host:port.")

# https://docs.djangoproject.com/en/5.2/topics/email/
_parts = environ.Env.email_url_config(_url or "dummymail://")
EMAIL_BACKEND = _parts["EMAIL_BACKEND"]
EMAIL_HOST = _parts["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _parts["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _parts["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _parts["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _parts.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _parts.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = f"/{_parts['EMAIL_FILE_PATH']}"  # of filemail:///folder
EMAIL_TIMEOUT = 20  # seconds
EMAIL_SUBJECT_PREFIX = ""
_host = PORTAL_URL.partition("://")[2].partition("/")[0].partition(":")[0]
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"AgentOps Portal <agentops@{_host}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
