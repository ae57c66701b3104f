"""Background work on people and access."""

from datetime import timedelta
from smtplib import SMTPException
from typing import Any, Final

import structlog
from celery import Task, shared_task
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import now

from agentops_portal.fields import one_line

from .api.idempotency import remove_old_answers
from .mail_text import named, quoted
from .models import Invitation, RequestCount, User

log = structlog.get_logger(__name__)

RETRIES: Final = {"autoretry_for": (SMTPException, OSError), "retry_backoff": 5, "max_retries": 5}


class MailTask(Task):
    """A task that writes an e-mail: one that could not be sent at last is an error in the log."""

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        log.error("an e-mail could not be sent", mail=self.name, error=type(exc).__name__, task_id=task_id)


class InvitationTask(MailTask):
    """Whoever has invited somebody sees, at the invitation, that the e-mail could not be sent."""

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        super().on_failure(exc, task_id, args, kwargs, einfo)
        Invitation.objects.filter(pk=args[0]).update(mail_problem=one_line(f"{type(exc).__name__}: {exc}")[:200])


@shared_task(name="projects.send_password_reset", base=MailTask, **RETRIES)
def send_password_reset(email: str) -> None:
    """Write to the account with this address, if there is one. The link is made here: no queue holds it."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.has_usable_password():
        link = _link(user, "password-reset-confirm", default_token_generator.make_token(user))
        _write(user.email, user.language, "password_reset", {"user": user, "link": link})


@shared_task(name="projects.send_confirmation", base=MailTask, **RETRIES)
def send_confirmation(email: str) -> None:
    """Write to somebody who signed up; to somebody who has an account already, how to get back into it."""
    from .accounts import confirmation_tokens

    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None and user.email_confirmed_at is None:
        link = _link(user, "signup-confirm", confirmation_tokens.make_token(user))
        _write(user.email, user.language, "confirmation", {"user": user, "link": link})
    elif user is not None:
        send_password_reset(email)


@shared_task(name="projects.send_invitation", base=InvitationTask, **RETRIES)
def send_invitation(invitation_id: str) -> None:
    """Tell somebody that an organization waits for them, in the language of their account if there is one."""
    invitation = Invitation.objects.filter(pk=invitation_id).select_related("organization", "inviter").first()
    if invitation is None:  # withdrawn meanwhile
        return
    from .joining import token_of

    link = settings.PORTAL_URL + reverse("join", args=(invitation.pk, token_of(invitation)))
    account = User.objects.filter(email=invitation.email).first()
    inviter = invitation.inviter
    words = {
        "organization": quoted(invitation.organization.name),
        "inviter": named(inviter.full_name, inviter.email) if inviter else "",
        "link": link,
    }
    _write(invitation.email, account.language if account else "", "invitation", words)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now(), mail_problem="")


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
    send_mail(one_line(subject), body.strip() + "\n", None, [email])
