import pytest

from tests.settings_process import asked


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
    assert asked("mail", expression, EMAIL_URL=url) == (0, expected)


def test_an_unknown_kind_of_address_stops_the_start_without_showing_it() -> None:
    code, message = asked("mail", "m.EMAIL_HOST", EMAIL_URL="ftp://me:secret@mail.example")

    assert code == 1
    assert "EMAIL_URL is not a URL of the form" in message
    assert "secret" not in message
