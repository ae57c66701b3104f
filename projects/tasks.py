"""Background work on people and access."""

from datetime import timedelta
from smtplib import SMTPException
from typing import Final

from celery import shared_task
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import now

from .models import RequestCount, User

RETRIES: Final = {"autoretry_for": (SMTPException, OSError), "retry_backoff": 5, "max_retries": 5}


@shared_task(name="projects.send_password_reset", **RETRIES)
def send_password_reset(email: str) -> None:
    """Write to the account with this address, if there is one. The link is made here: no queue holds it."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.has_usable_password():
        _write(user, "password_reset", "password-reset-confirm", default_token_generator.make_token(user))


@shared_task(name="projects.send_confirmation", **RETRIES)
def send_confirmation(email: str) -> None:
    """Write to somebody who signed up; to somebody who has an account already, how to get back into it."""
    from .accounts import confirmation_tokens

    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.email_confirmed_at is None:
        _write(user, "confirmation", "signup-confirm", confirmation_tokens.make_token(user))
    elif user is not None:
        send_password_reset(email)


@shared_task(name="projects.remove_old_counts")
def remove_old_counts() -> None:
    """Delete the request counts of windows that are over."""
    RequestCount.objects.filter(window_start__lt=now() - timedelta(days=1)).delete()


def _write(user: User, template: str, view: str, token: str) -> None:
    """In the reader's language: the template's first line is the subject."""
    name = urlsafe_base64_encode(force_bytes(user.pk))
    link = settings.PORTAL_URL + reverse(view, kwargs={"uidb64": name, "token": token})
    context = {"user": user, "link": link, "portal": settings.PORTAL_URL}
    with translation.override(user.language or settings.LANGUAGE_CODE):
        subject, _, body = render_to_string(f"projects/mail/{template}.txt", context).partition("\n")
    send_mail(subject.strip(), body.strip() + "\n", None, [user.email])
