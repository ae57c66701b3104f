"""A person's way to an account and back to a lost one, by e-mail. tasks.py sends what is asked for here, so that an
answer takes as long for an address that has an account as for one that has none.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError

from agentops_portal.fields import lower_email

from . import tasks
from .models import Invitation, User
from .rates import Limit, take
from .services import create_organization, create_project, record

log = structlog.get_logger(__name__)

MAILS_TO_ONE = Limit("mail-to", 5, seconds=3600)


class AccountUnavailable(Exception):
    """What the portal does not offer, or cannot do now. str() is a sentence; `status` is the API's."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


class ConfirmationTokens(PasswordResetTokenGenerator):
    """Tokens of the link that proves an address: good until it was used, for PASSWORD_RESET_TIMEOUT at most."""

    key_salt = "projects.accounts.ConfirmationTokens"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.email_confirmed_at}"


confirmation_tokens = ConfirmationTokens()


def request_password_reset(email: str) -> None:
    """Have a link sent, if there is an account with this address; nothing tells whether there is. Raises
    AccountUnavailable when the portal sends no e-mail.
    """
    if not settings.EMAIL_IS_CONFIGURED:
        raise AccountUnavailable(
            _("This portal sends no e-mail: whoever runs it can give you a new password, or set EMAIL_URL.")
        )
    _send(tasks.send_password_reset, email)


def sign_up(*, email: str, password: str, full_name: str) -> Sequence[str]:
    """Make an account that works once the link in the e-mail was opened. Returns what is wrong with the password; an
    address that has an account already gets an e-mail instead. Raises AccountUnavailable when the settings forbid it.
    """
    if not settings.SIGNUP_ALLOWED:
        raise AccountUnavailable("This portal is closed to new accounts: ask its administrator for one.")
    if not settings.EMAIL_IS_CONFIGURED:
        raise AccountUnavailable("This portal sends no e-mail, so an address cannot be confirmed: set EMAIL_URL.")
    user = User(email=lower_email(email), full_name=full_name, email_confirmed_at=None)
    try:
        validate_password(password, user)
    except ValidationError as error:
        return error.messages
    user.set_password(password)  # for an address that has an account too: it takes as long
    if not User.objects.filter(email=user.email).exists():
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                record("user.signed_up", actor=user, target=user.email)
        except IntegrityError:
            pass  # made meanwhile; the task writes to its owner
    _send(tasks.send_confirmation, user.email)
    return []


@transaction.atomic
def confirm_address(user: User) -> None:
    """The person has opened a link sent to the address. A new account gets an organization and a project to begin with.
    Doing it again changes nothing.
    """
    if not User.objects.filter(pk=user.pk, email_confirmed_at=None).update(email_confirmed_at=now()):
        return
    user.refresh_from_db(fields=["email_confirmed_at"])
    record("user.address_confirmed", actor=user, target=user.email)
    name = f"{user.full_name}'s org" if user.full_name else "Default Organization"
    organization = create_organization(name=name[:200], owner=user)
    create_project(organization=organization, name="Default Project", actor=user)


def send_invitation(invitation: Invitation) -> bool:
    """Have the invited person told; whether the e-mail is on its way. False: the address has had enough of them for
    now. Raises AccountUnavailable when none can be sent now.
    """
    return _send(tasks.send_invitation, invitation.email, str(invitation.pk))


def _send(task: Any, email: str, argument: str = "") -> bool:
    email = lower_email(email)
    if not take(MAILS_TO_ONE, email).allowed:
        log.info("no more e-mails to this address for now")
        return False
    try:
        task.apply_async((argument or email,), argsrepr="(…)")  # the worker's log names nobody
    except (KombuError, OSError) as error:
        log.error("an e-mail could not be queued", error=type(error).__name__)
        raise AccountUnavailable(_("The e-mail cannot be sent now. Try again later."), 503) from None
    return True
