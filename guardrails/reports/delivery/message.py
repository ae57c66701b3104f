"""The e-mail of a report, byte by byte the same whenever it is made of the same files for the same recipient.

RFC 8058 (one-click unsubscribe), RFC 3834 (answered by no robot), RFC 2369 and 2919 (lists).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from agentops_portal.fields import one_line

from ..rendering.files import HTML, TEXT, TYPES, File


@dataclass(frozen=True)
class Letter:
    """id: of the delivery, from which Message-ID and boundaries are made; unsubscribe: "" in a test."""

    id: UUID
    address: str
    subject: str
    files: Sequence[File]
    at: datetime
    schedule_id: UUID
    report_link: str
    unsubscribe: str = ""

    def as_bytes(self) -> bytes:
        message = EmailMessage(policy=SMTP)
        self._write_head(message)
        content = {file.kind: file.content.decode() for file in self.files if file.kind in (HTML, TEXT)}
        message.set_content(content[TEXT] + self._foot(), cte="quoted-printable")
        html = content[HTML].replace(f"{self.report_link}#unsubscribe", self.unsubscribe or self.report_link)
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        for file in self.files:
            if file.kind in TYPES:
                kind, _slash, subtype = TYPES[file.kind].partition("/")
                words = {"charset": "utf-8"} if kind == "text" else {}
                message.add_attachment(file.content, kind, subtype, filename=file.name, params=words)
        parts = (part for part in message.walk() if part.is_multipart())
        for number, part in enumerate(parts):
            part.set_boundary(f"=_{self.id.hex}_{number}")
        return message.as_bytes()

    def _write_head(self, message: EmailMessage) -> None:
        host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
        message["From"] = settings.DEFAULT_FROM_EMAIL
        message["To"] = self.address
        message["Subject"] = one_line(self.subject)[:250]
        message["Date"] = format_datetime(self.at)
        message["Message-ID"] = f"<report.{self.id}@{host}>"
        message["Auto-Submitted"] = "auto-generated"
        message["List-Id"] = f"<{self.schedule_id}.reports.{host}>"
        if self.unsubscribe:
            message["List-Unsubscribe"] = f"<{self.unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"

    def _foot(self) -> str:
        return f"\n--\n{self.unsubscribe}\n" if self.unsubscribe else ""
