"""The password that the first start gives the embedded ClickHouse."""

import os
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from agentops_portal.embedded.password import provide_clickhouse_password
from projects.dotenv import read_variable

VARIABLE = "CLICKHOUSE_PASSWORD"


@pytest.fixture
def env_file(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, "")  # so that what the function sets is taken back
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv(f"{VARIABLE}_FILE", raising=False)
    settings.PORTAL_VAR = tmp_path / "var"
    settings.SECRETS_DIR = tmp_path / "var" / "secrets"
    settings.DOTENV_FILE = tmp_path / ".env"
    settings.CLICKHOUSE_IS_EMBEDDED = True
    return tmp_path / ".env"


def test_the_first_start_makes_one_that_a_shell_can_read(env_file: Path) -> None:
    env_file.write_text("DEBUG=0\n")
    provide_clickhouse_password()
    password = os.environ[VARIABLE]
    assert len(password) == 50
    assert env_file.read_text() == f"DEBUG=0\n{VARIABLE}={password}\n"
    assert env_file.stat().st_mode & 0o077 == 0
    read = subprocess.run(["sh", "-c", f". ./.env; printf %s ${VARIABLE}"], cwd=env_file.parent, capture_output=True)
    assert read.stdout.decode() == password


def test_a_lost_env_file_gets_the_same_one_again(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide_clickhouse_password()
    first = os.environ[VARIABLE]
    (env_file.parent / "var" / "clickhouse").mkdir()
    env_file.unlink()
    monkeypatch.delenv(VARIABLE)
    provide_clickhouse_password()
    assert os.environ[VARIABLE] == read_variable(env_file, VARIABLE) == first


@pytest.mark.parametrize("chosen", ["", "my own"])
def test_one_that_is_set_counts_and_an_empty_one_too(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    monkeypatch.setenv(VARIABLE, chosen)
    provide_clickhouse_password()
    assert os.environ[VARIABLE] == chosen
    assert not env_file.exists()


def test_a_store_from_before_goes_on_without(env_file: Path) -> None:
    (env_file.parent / "var" / "clickhouse").mkdir(parents=True)
    provide_clickhouse_password()
    assert VARIABLE not in os.environ
    assert not env_file.exists()


def test_a_server_of_one_s_own_needs_none(env_file: Path, settings: Settings) -> None:
    settings.CLICKHOUSE_IS_EMBEDDED = False
    provide_clickhouse_password()
    assert VARIABLE not in os.environ


def test_one_that_cannot_be_written_down_is_one_sentence(env_file: Path, settings: Settings) -> None:
    settings.DOTENV_FILE = env_file.parent / "no-such-folder" / ".env"
    with pytest.raises(ImproperlyConfigured, match=rf"\.env cannot be written .*or set {VARIABLE} yourself"):
        provide_clickhouse_password()
    assert VARIABLE not in os.environ
