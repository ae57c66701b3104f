"""The Celery application; `celery -A agentops_portal worker` and `beat` find it here."""

import os
import warnings
from pathlib import Path
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import beat_init, setup_logging, worker_ready

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
