"""Celery: a broker in the file system until CELERY_BROKER_URL names a Redis."""

from typing import Any

from agentops_portal import environment as env

from .core import PORTAL_VAR

BROKER_DIR = PORTAL_VAR / "broker"
_broker = env.url("CELERY_BROKER_URL", ("redis", "rediss", "amqp", "amqps"))

# https://docs.celeryq.dev/en/stable/userguide/configuration.html
CELERY_BROKER_URL = _broker.geturl() if _broker else "filesystem://localhost//"
CELERY_BROKER_IS_EMBEDDED = _broker is None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        # The same folder for both, so that every worker of this machine sees what every process sends.
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "processed_folder": str(BROKER_DIR / "processed"),
        "store_processed": False,
        "polling_interval": 0.25,  # seconds; a worker sees a stop request only between two looks
    }
    if _broker is None
    else {}
)
# How long a deleted project can be restored; after that its spans are removed.
DELETED_PROJECT_DAYS = env.integer("DELETED_PROJECT_DAYS", 7, maximum=3650)

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 15 * 60  # seconds; a stuck task must not hold the worker for ever
CELERY_TASK_SOFT_TIME_LIMIT = 14 * 60
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
