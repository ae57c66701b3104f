"""The API: its defaults, who may ask from a browser, and how often."""

from urllib.parse import urlsplit

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from agentops_portal import environment as env

from .core import CSRF_TRUSTED_ORIGINS

# https://www.django-rest-framework.org/api-guide/settings/
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["agentops_portal.api.negotiation.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "agentops_portal.api.negotiation.LenientNegotiation",
    # Keys first: their answer to strangers is 401, a session's would be 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.api.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["projects.api.throttles.ApiThrottle"],
    "EXCEPTION_HANDLER": "agentops_portal.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "agentops_portal.api.openapi.autoschema.PortalSchema",
    "URL_FORMAT_OVERRIDE": None,  # `format` is an endpoint's own parameter
}

# Above these the API answers 429; 0 means no limit. The receiver has limits of its own.
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 1200)  # of one key, or one person
GUARDRAIL_REQUESTS_PER_MINUTE = env.integer("GUARDRAIL_REQUESTS_PER_MINUTE", 30_000)  # decisions for one key
# Of one address to what takes a credential. A cluster of clients behind one address starts at once, and
# the agentops SDK gives up for good when its key is not answered.
AUTH_REQUESTS_PER_MINUTE = env.integer("AUTH_REQUESTS_PER_MINUTE", 300)
INVITATIONS_PER_DAY = env.integer("INVITATIONS_PER_DAY", 50)  # of one person; to one address: 5
AUTH_MAILS_PER_HOUR = env.integer("AUTH_MAILS_PER_HOUR", 20)  # that one address may have sent; to one recipient: 5

# Where an AgentOps dashboard of your own is: APP_URL, or the names that AgentOps' own settings have for it.
_app_domain = env.text("APP_DOMAIN")
_app = env.url("APP_URL", ("https", "http"), f"{env.text('PROTOCOL', 'https')}://{_app_domain}" if _app_domain else "")
APP_URL = _app.geturl().rstrip("/") if _app else ""
_app_origins = [f"{_app.scheme}://{_app.netloc.lower()}"] if _app else []

# Pages of these origins, such as an AgentOps dashboard of your own, may use the session cookie. Pages of all others
# may use the API with a key only.
_origins = [origin.rstrip("/") for origin in env.words("CORS_ALLOWED_ORIGINS")]
for _origin in _origins:
    _parts = urlsplit(_origin)
    if _parts.scheme not in {"http", "https"} or not _parts.netloc or _parts.path or "*" in _origin:
        raise ImproperlyConfigured(
            f"CORS_ALLOWED_ORIGINS: {_origin!r} is no origin. Write origins such as https://dashboard.example.com,"
            " separated by commas; keys work from pages of every origin without this setting."
        )

# https://github.com/adamchainz/django-cors-headers#configuration
CORS_ALLOWED_ORIGINS = list(dict.fromkeys([*CSRF_TRUSTED_ORIGINS, *_app_origins, *_origins]))
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/(agents|api|auth|opsboard|public|mcp|v[1-4])(/|$)|^/openapi\.json$"
CORS_ALLOW_HEADERS = [*default_headers, "x-api-key", "x-agentops-api-key", "trace-id", "idempotency-key"]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]
