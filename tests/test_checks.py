from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings


def found(deploy: bool = False) -> dict[str, str]:
    """The portal's own findings: their hints by id."""
    messages = run_checks(include_deployment_checks=deploy)
    return {str(each.id): str(each.hint) for each in messages if str(each.id).startswith("portal.")}


def test_a_fresh_installation_has_no_finding() -> None:
    assert found() == {}


def test_a_short_secret_key_is_an_error(settings: Settings) -> None:
    settings.SECRET_KEY = "x" * 31
    assert "Leave SECRET_KEY unset" in found()["portal.E001"]


def test_a_data_folder_that_is_not_there_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.PORTAL_VAR = tmp_path / "gone"
    assert "PORTAL_VAR" in found()["portal.E002"]


def test_translations_without_their_compiled_file_are_a_warning(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr ""\n')
    settings.LOCALE_PATHS = [tmp_path]
    assert "manage.py prepare" in found()["portal.W001"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://agents.example.com", True),
        ("https://agents.example.com", False),
        ("http://localhost:8003", False),
        ("http://127.0.0.1:8003", False),
    ],
)
def test_plain_http_on_a_public_host_is_a_warning(settings: Settings, url: str, expected: bool) -> None:
    settings.PORTAL_URL = url
    assert ("portal.W002" in found(deploy=True)) is expected


def test_any_host_allowed_is_a_warning(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert "portal.W003" in found(deploy=True)


@pytest.mark.parametrize(
    ("address", "configured", "warned"),
    [
        ("https://agentops.example.com", False, True),
        ("https://agentops.example.com", True, False),
        ("http://localhost:8003", False, False),
    ],
)
def test_a_public_portal_without_mail_is_a_warning(
    settings: Settings, address: str, configured: bool, warned: bool
) -> None:
    settings.PORTAL_URL, settings.EMAIL_IS_CONFIGURED = address, configured
    assert ("portal.W005" in found(deploy=True)) == warned


def test_static_files_that_were_never_collected_are_a_warning(settings: Settings, tmp_path: Path) -> None:
    settings.PORTAL_VAR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    assert "manage.py prepare" in found(deploy=True)["portal.W004"]
