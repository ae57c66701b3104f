"""Hands an e-mail to the mail server of the settings, and tells "refused" from "nobody knows"."""

import smtplib
from contextlib import suppress
from email import message_from_bytes
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any, Final, cast

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import EmailMessage, sanitize_address

from .outcomes import InDoubt, NotSent, Sent

OK: Final = (250, 251)


def send_by_smtp(address: str, message: bytes) -> Sent:
    """Raises NotSent, finally for an answer of 5xx, and InDoubt when the server fell silent once it had the message."""
    if not settings.EMAIL_IS_CONFIGURED:
        raise NotSent("the portal sends no e-mail: EMAIL_URL is not set")
    backend = get_connection()
    if not isinstance(backend, EmailBackend):  # to the log or into a file
        backend.send_messages([_Made(message, address)])
        return Sent(type(backend).__module__.rpartition(".")[2])
    try:
        backend.open()
        server = cast("smtplib.SMTP", backend.connection)
        server.ehlo_or_helo_if_needed()
        sender = sanitize_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], "utf-8")
        _expect(server.mail(sender), address)
        _expect(server.rcpt(sanitize_address(address, "utf-8")), address)
        note = _hand_over(server, message, address)
    except smtplib.SMTPResponseException as error:  # of the greeting, the sign-in, DATA
        raise NotSent(_said(error.smtp_code, error.smtp_error, address)) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}") from None
    finally:
        _close(backend)
    return Sent(note)


def _hand_over(server: smtplib.SMTP, message: bytes, address: str) -> str:
    try:
        code, answer = server.data(message)
    except smtplib.SMTPDataError:
        raise  # before the message
    except (smtplib.SMTPException, OSError) as error:
        raise InDoubt(f"the server fell silent after it had the message ({type(error).__name__})") from None
    if code not in OK:
        raise NotSent(_said(code, answer, address), is_final=500 <= code < 600)
    return f"{code} {_text(answer)}"


def _expect(answer: tuple[int, bytes], address: str) -> None:
    code, text = answer
    if code not in OK:
        raise NotSent(_said(code, text, address), is_final=500 <= code < 600)


def _said(code: int, text: bytes | str, address: str) -> str:
    return f"the mail server answered {code} {_text(text)}"


def _text(answer: bytes | str) -> str:
    return (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:300]


def _close(backend: Any) -> None:
    """It has the message, or has not: that it does not say goodbye changes neither."""
    with suppress(smtplib.SMTPException, OSError):
        backend.close()


class _Made(EmailMessage):
    """A message that is there already, for Django's other backends."""

    def __init__(self, content: bytes, address: str) -> None:
        super().__init__(to=[address])
        self._content = content

    def message(self, *_: Any, **__: Any) -> Any:
        return message_from_bytes(self._content, policy=SMTP)
