"""Sign-in, cookies, headers."""

from typing import Any

from csp.constants import NONE, SELF

from agentops_portal import environment as env

from .core import PORTAL_URL_IS_HTTPS

# https://docs.djangoproject.com/en/5.2/topics/auth/customizing/#substituting-a-custom-user-model
AUTH_USER_MODEL = "projects.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

# Old values of SECRET_KEY: sessions and API keys made under them keep working after it was changed.
# https://docs.djangoproject.com/en/5.2/ref/settings/#secret-key-fallbacks
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# Signs project tokens; set it only when another service verifies them too. Unset: derived from SECRET_KEY.
JWT_SECRET_KEY = env.text("JWT_SECRET_KEY")

# https://docs.djangoproject.com/en/5.2/topics/auth/passwords/
PASSWORD_HASHERS = [
    "projects.hashers.LeanArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# https://docs.djangoproject.com/en/5.2/ref/settings/#auth-password-validators
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

PASSWORD_RESET_TIMEOUT = 3600  # seconds that the link in the e-mail works

# Whether strangers may make an account and an organization of their own; else administrators make accounts.
SIGNUP_ALLOWED = env.boolean("SIGNUP_ALLOWED", default=False)

# People who have signed in to this Supabase project may use that sign-in here, if they have an account here.
_supabase = env.url("SUPABASE_URL", ("https", "http"))
SUPABASE_URL = _supabase.geturl().rstrip("/") if _supabase else ""
# Who signs its tokens; another than this only where Supabase is reached by another address than it calls itself.
SUPABASE_JWT_ISSUER = env.text("SUPABASE_JWT_ISSUER") or (f"{SUPABASE_URL}/auth/v1" if SUPABASE_URL else "")
# Its public key, which the gateway of a hosted project wants to see; needed to link accounts by e-mail address.
SUPABASE_ANON_KEY = env.text("SUPABASE_ANON_KEY")
SUPABASE_JWT_SECRET = env.text("SUPABASE_JWT_SECRET")

# Whether reports may be sent to webhooks in the network of this machine; else only to the public Internet, by https.
WEBHOOKS_MAY_BE_PRIVATE = env.boolean("WEBHOOKS_MAY_BE_PRIVATE", default=False)

# How many proxies stand in front; their X-Forwarded-For tells whose failed sign-ins count together.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, maximum=10)

# Cookies and HSTS follow the address people use: a portal on http://localhost must still let them sign in.
# https://docs.djangoproject.com/en/5.2/topics/security/
SESSION_COOKIE_SECURE = PORTAL_URL_IS_HTTPS
CSRF_COOKIE_SECURE = PORTAL_URL_IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = env.text("AUTH_COOKIE_NAME", "session_id")  # as AgentOps' dashboard knows it
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PORTAL_URL_IS_HTTPS else 0
SECURE_SSL_REDIRECT = False  # the proxy that holds the certificate redirects
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_URL_IS_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# No inline script anywhere: text that an LLM wrote may end up in a page.
# https://django-csp.readthedocs.io/en/latest/configuration.html
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
