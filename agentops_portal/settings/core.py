"""Who and where the portal is: secret key, hosts, ports, the folder of its data."""

from django.core.exceptions import ImproperlyConfigured

from agentops_portal import environment as env

# `manage.py bootstrap` writes the key it makes into the same file.
DOTENV_FILE = env.path("PORTAL_DOTENV", env.BASE_DIR / ".env")
env.load_dotenv(DOTENV_FILE)

BASE_DIR = env.BASE_DIR

# Everything the portal writes on this machine lives below this folder.
PORTAL_VAR = env.path("PORTAL_VAR", BASE_DIR / "var")
SECRETS_DIR = PORTAL_VAR / "secrets"

# https://docs.djangoproject.com/en/5.2/ref/settings/#secret-key
SECRET_KEY = env.text("SECRET_KEY") or env.generated_secret(SECRETS_DIR, "secret_key")

# https://docs.djangoproject.com/en/5.2/ref/settings/#debug
DEBUG = env.boolean("DEBUG", default=False)

# Whoever has it may read /metrics from anywhere; without one, only this machine may.
METRICS_TOKEN = env.text("METRICS_TOKEN")

PORTAL_HOST = env.text("PORTAL_HOST", "localhost")  # where web and receiver listen; localhost is 127.0.0.1 and ::1
PORTAL_PORT = env.port("PORTAL_PORT", 8003)
OTLP_HTTP_PORT = env.port("OTLP_HTTP_PORT", 4318)
OTLP_GRPC_PORT = env.port("OTLP_GRPC_PORT", 4317)

# The address people and clients use, which differs from the port behind a proxy.
_url = env.url("PORTAL_URL", ("https", "http"), f"http://localhost:{PORTAL_PORT}")
assert _url is not None
assert _url.hostname
if _url.path.strip("/") or _url.query or _url.fragment:
    raise ImproperlyConfigured(
        f"PORTAL_URL={_url.geturl()} has a path, and the portal's pages and APIs stand at the root of a host: "
        "give it a host name of its own, such as https://agentops.example.com."
    )
PORTAL_URL = _url.geturl().rstrip("/")
PORTAL_URL_IS_HTTPS = _url.scheme == "https"

# https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", _url.hostname])
# https://docs.djangoproject.com/en/5.2/ref/settings/#csrf-trusted-origins
CSRF_TRUSTED_ORIGINS = [f"{_url.scheme}://{_url.netloc}"]
