"""The Celery application; `celery -A agentops_portal worker` and `beat` find it here."""

import os
import warnings
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import WorkerShutdown
from celery.platforms import SecurityWarning
from celery.signals import beat_init, setup_logging, worker_ready, worker_shutting_down
from celery.worker import state

# In a container everything is root's; this warning is about messages from strangers, and the portal takes none.
warnings.filterwarnings("ignore", category=SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")

app = Celery("agentops_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_the_log_settings(**_: Any) -> None:
    """Django's LOGGING counts in these processes too: a receiver here keeps Celery from setting up its own."""


@worker_ready.connect
@beat_init.connect
def report_ready(**_: Any) -> None:
    """Tell whoever started this process, through the file it named, that work can come."""
    if file := os.environ.get("READY_FILE"):
        Path(file).touch()


@worker_shutting_down.connect
def stop_waiting(**_: Any) -> None:
    """End an idle worker at once: with a broker that is polled it would first wait seconds for a message."""
    if not state.active_requests:
        raise WorkerShutdown(0)
