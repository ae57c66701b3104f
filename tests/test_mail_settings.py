import subprocess
import sys

import pytest
from django.conf import settings

ASK = "from agentops_portal.settings import mail as m; print(*{})"


def asked(url: str, expression: str) -> tuple[int, str]:
    environment = {"PATH": "/usr/bin", "PORTAL_VAR": str(settings.PORTAL_VAR), "PORTAL_DOTENV": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(f"({expression},)")],
        env={**environment, "EMAIL_URL": url},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("url", "expression", "expected"),
    [
        ("", "m.EMAIL_IS_CONFIGURED, m.EMAIL_BACKEND", "False django.core.mail.backends.dummy.EmailBackend"),
        (
            "smtp+tls://me%40x:p%2Fw@mail.example:587",
            "m.EMAIL_HOST, m.EMAIL_PORT, m.EMAIL_HOST_USER, m.EMAIL_HOST_PASSWORD, m.EMAIL_USE_TLS",
            "mail.example 587 me@x p/w True",
        ),
        ("filemail:///srv/mails", "m.EMAIL_FILE_PATH", "/srv/mails"),
        ("consolemail://", "m.EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend"),
    ],
    ids=["none", "smtp", "file", "console"],
)
def test_where_mail_goes(url: str, expression: str, expected: str) -> None:
    assert asked(url, expression) == (0, expected)


def test_an_unknown_kind_of_address_stops_the_start_without_showing_it() -> None:
    code, message = asked("ftp://me:secret@mail.example", "m.EMAIL_HOST")

    assert code == 1
    assert "EMAIL_URL is not a URL of the form" in message
    assert "secret" not in message
