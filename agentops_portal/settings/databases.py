"""The two stores: PostgreSQL for people, projects and keys; ClickHouse for spans.

Unset URLs mean the embedded services; they are reached through the very same client code.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote

from agentops_portal import environment as env
from agentops_portal.postgres_waiting import WaitingConnection

from .core import SECRETS_DIR

POSTGRES_PORT = env.port("POSTGRES_PORT", 55432)
CLICKHOUSE_HTTP_PORT = env.port("CLICKHOUSE_HTTP_PORT", 8124)

# Tables live in a schema of their own: on Supabase everything in `public` is served to the world by PostgREST.
POSTGRES_SCHEMA = "agentops"

# "transaction" behind pgbouncer or Supabase's pooler in transaction mode (docs/databases.md).
DATABASE_POOLER = env.choice("DATABASE_POOLER", ("none", "transaction"), "none")

_postgres = env.url("DATABASE_URL", ("postgresql", "postgres"))
POSTGRES_IS_EMBEDDED = _postgres is None
if POSTGRES_IS_EMBEDDED:
    # What a person has set for another server (PGHOSTADDR, PGSSLMODE, PGSERVICE …) would redirect libpq to it.
    env.forget("PG")

_clickhouse = env.url("CLICKHOUSE_URL", ("http", "https"))
CLICKHOUSE_IS_EMBEDDED = _clickhouse is None
CLICKHOUSE_CLUSTER = env.text("CLICKHOUSE_CLUSTER")

# Where the guardrail counts against limits; without one, PostgreSQL.
_redis = env.url("REDIS_URL", ("redis", "rediss"))
REDIS_URL = _redis.geturl() if _redis else ""


def _postgres_settings() -> dict[str, Any]:
    options: dict[str, Any] = {
        "connect_timeout": 5,
        "application_name": "agentops-portal",
        # ASGI gives each request a thread of its own, so that connections kept by threads would never be used again.
        # https://docs.djangoproject.com/en/5.2/ref/databases/#connection-pool
        "pool": {
            "min_size": 0,
            "max_size": 10,
            "timeout": 5,
            "reconnect_timeout": 5,
            "max_idle": 60,
            "connection_class": WaitingConnection,
        },
    }
    if DATABASE_POOLER == "transaction":
        # A pooler gives every transaction another server connection, so nothing may outlive one. It passes no
        # start-up options either: `migrate` stores the search path with the role instead.
        options["prepare_threshold"] = None
    else:
        options["options"] = f"-c search_path={POSTGRES_SCHEMA}"
    if _postgres is None:
        address = {
            "HOST": "127.0.0.1",
            "PORT": str(POSTGRES_PORT),
            "NAME": "agentops",
            "USER": "agentops",
            "PASSWORD": env.generated_secret(SECRETS_DIR, "postgres_password"),
        }
    else:
        options |= dict(parse_qsl(_postgres.query))
        address = {
            "HOST": _postgres.hostname or "",
            "PORT": str(_postgres.port or 5432),
            "NAME": unquote(_postgres.path.lstrip("/")) or "postgres",
            "USER": unquote(_postgres.username or ""),
            "PASSWORD": unquote(_postgres.password or ""),
        }
    return {
        "ENGINE": "agentops_portal.postgres_backend",
        **address,
        "CONN_MAX_AGE": 0,  # a connection goes back to the pool with each request
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLER == "transaction",
        "OPTIONS": options,
    }


def _clickhouse_settings() -> dict[str, Any]:
    if _clickhouse is None:
        address = {"HOST": "127.0.0.1", "PORT": CLICKHOUSE_HTTP_PORT, "NAME": "otel_2", "USER": "default"}
        return {
            "ENGINE": "agentops_portal.clickhouse.backend",
            **address,
            "PASSWORD": env.text("CLICKHOUSE_PASSWORD"),
            "OPTIONS": {"secure": False},
        }
    secure = _clickhouse.scheme == "https"
    return {
        "ENGINE": "agentops_portal.clickhouse.backend",
        "HOST": _clickhouse.hostname or "",
        "PORT": _clickhouse.port or (8443 if secure else 8123),
        "NAME": unquote(_clickhouse.path.lstrip("/")) or "otel_2",
        "USER": unquote(_clickhouse.username or "") or "default",
        "PASSWORD": unquote(_clickhouse.password or "") or env.text("CLICKHOUSE_PASSWORD"),
        "OPTIONS": {"secure": secure, **dict(parse_qsl(_clickhouse.query))},
    }


# https://docs.djangoproject.com/en/5.2/ref/settings/#databases
DATABASES = {"default": _postgres_settings(), "clickhouse": _clickhouse_settings()}
DATABASE_ROUTERS = ["agentops_portal.clickhouse.router.ClickHouseRouter"]
# https://docs.djangoproject.com/en/5.2/ref/settings/#default-auto-field
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
