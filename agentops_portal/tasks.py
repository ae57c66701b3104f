"""Background work of the portal itself."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="portal.clear_expired_sessions")
def clear_expired_sessions() -> None:
    """Delete the sign-in sessions that have run out: Django leaves them in the database."""
    call_command("clearsessions")
