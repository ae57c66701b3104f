"""Background work on people and access."""

from datetime import timedelta
from smtplib import SMTPException
from typing import Any, Final

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

from .api.idempotency import remove_old_answers
from .models import Invitation, RequestCount, User

RETRIES: Final = {"autoretry_for": (SMTPException, OSError), "retry_backoff": 5, "max_retries": 5}


@shared_task(name="projects.send_password_reset", **RETRIES)
def send_password_reset(email: str) -> None:
    """Write to the account with this address, if there is one. The link is made here: no queue holds it."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.has_usable_password():
        link = _link(user, "password-reset-confirm", default_token_generator.make_token(user))
        _write(user.email, user.language, "password_reset", {"user": user, "link": link})


@shared_task(name="projects.send_confirmation", **RETRIES)
def send_confirmation(email: str) -> None:
    """Write to somebody who signed up; to somebody who has an account already, how to get back into it."""
    from .accounts import confirmation_tokens

    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.email_confirmed_at is None:
        link = _link(user, "signup-confirm", confirmation_tokens.make_token(user))
        _write(user.email, user.language, "confirmation", {"user": user, "link": link})
    elif user is not None:
        send_password_reset(email)


@shared_task(name="projects.send_invitation", **RETRIES)
def send_invitation(invitation_id: str) -> None:
    """Tell somebody that an organization waits for them, in the language of their account if there is one."""
    invitation = Invitation.objects.filter(pk=invitation_id).select_related("organization", "inviter").first()
    if invitation is None:  # withdrawn meanwhile
        return
    from .joining import token_of

    link = settings.PORTAL_URL + reverse("join", args=(invitation.pk, token_of(invitation)))
    account = User.objects.filter(email=invitation.email).first()
    _write(
        invitation.email, account.language if account else "", "invitation", {"invitation": invitation, "link": link}
    )


@shared_task(name="projects.remove_old_counts")
def remove_old_counts() -> None:
    """Delete the request counts of windows that are over."""
    RequestCount.objects.filter(window_start__lt=now() - timedelta(days=1)).delete()


@shared_task(name="projects.remove_old_idempotent_answers")
def remove_old_idempotent_answers() -> None:
    """Delete the answers that no repeated request gets any more."""
    remove_old_answers()


def _link(user: User, view: str, token: str) -> str:
    name = urlsafe_base64_encode(force_bytes(user.pk))
    return settings.PORTAL_URL + reverse(view, kwargs={"uidb64": name, "token": token})


def _write(email: str, language: str, template: str, context: dict[str, Any]) -> None:
    """The first line of the template is the subject."""
    with translation.override(language or settings.LANGUAGE_CODE):
        text = render_to_string(f"projects/mail/{template}.txt", {**context, "portal": settings.PORTAL_URL})
    subject, _, body = text.partition("\n")
    send_mail(subject.strip(), body.strip() + "\n", None, [email])
