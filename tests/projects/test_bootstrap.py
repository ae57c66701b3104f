import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils.timezone import now
from pytest_django import Settings

from projects.bootstrap import BootstrapError, bootstrap
from projects.credentials import InvalidCredential, authenticate, forget
from projects.dotenv import read_variable, set_variables
from projects.models import ApiKey, Membership, Organization, Project, User
from projects.services import delete_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def env_file(tmp_path: Path, settings: Settings) -> Path:
    settings.DOTENV_FILE = tmp_path / ".env"
    return settings.DOTENV_FILE


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("bootstrap", *arguments, stdout=output)
    return output.getvalue()


def run_json(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments))
    return found


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (User, Organization, Membership, Project, ApiKey))


def test_a_first_run_makes_what_the_guide_names(env_file: Path) -> None:
    output = run()
    user = User.objects.get(email="admin@agent-portal.local")
    project = Project.objects.get(name="agent-portal", organization__name="Agent Portal Organization")
    assert user.is_superuser
    assert Membership.objects.get(user=user, organization=project.organization).role == "owner"
    lines = dict(line.split(": ", 1) for line in output.splitlines())
    assert lines["Project ID"] == str(project.pk)
    assert user.check_password(lines["Password"])
    assert authenticate(lines["API Key"]).project_id == project.pk
    assert read_variable(env_file, "AGENTOPS_API_KEY") == lines["API Key"]
    assert read_variable(env_file, "AGENTOPS_PROJECT_ID") == str(project.pk)
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_a_second_run_changes_nothing_and_shows_no_secret(env_file: Path) -> None:
    first = run_json()
    before = (counts(), env_file.read_bytes(), User.objects.get().password)
    second = run_json()
    assert (counts(), env_file.read_bytes(), User.objects.get().password) == before
    assert (second["password"], second["api_key"]) == (None, None)
    assert second["project_id"] == first["project_id"]
    assert second["key_prefix"] == first["api_key"][:8]
    text = run()
    assert first["api_key"] not in text
    assert first["password"] not in text
    assert str(env_file) in text


def test_other_settings_in_the_file_stay(env_file: Path) -> None:
    env_file.write_text("# mine\nPORTAL_PORT=9000\nAGENTOPS_API_KEY=\n")
    run()
    assert env_file.read_text().startswith("# mine\nPORTAL_PORT=9000\nAGENTOPS_API_KEY=")
    assert UUID(read_variable(env_file, "AGENTOPS_API_KEY"))


@pytest.mark.parametrize("found", ["", "not-a-key", "00000000-0000-4000-8000-000000000000"])
def test_a_file_without_a_working_key_gets_one(env_file: Path, found: str) -> None:
    run()
    set_variables(env_file, {"AGENTOPS_API_KEY": found})
    result = run_json()
    assert result["api_key"] == read_variable(env_file, "AGENTOPS_API_KEY")
    assert str(authenticate(result["api_key"]).project_id) == result["project_id"]


def test_a_revoked_key_in_the_file_is_replaced(env_file: Path) -> None:
    first = run_json()
    ApiKey.objects.update(revoked_at=now())
    assert run_json()["api_key"] not in (None, first["api_key"])


def test_a_deleted_project_is_made_anew_with_a_key_of_its_own(env_file: Path) -> None:
    first = run_json()
    delete_project(project=Project.objects.get())
    second = run_json()
    assert second["project_id"] != first["project_id"]
    assert str(authenticate(second["api_key"]).project_id) == second["project_id"]


def test_rotation_replaces_the_key_of_the_file(env_file: Path) -> None:
    old = run_json()["api_key"]
    new = run_json("--rotate-key")["api_key"]
    assert read_variable(env_file, "AGENTOPS_API_KEY") == new
    assert authenticate(new)
    with pytest.raises(InvalidCredential, match="revoked"):
        authenticate(old)


def test_without_a_file_the_key_is_shown_once_and_kept(env_file: Path) -> None:
    first = run_json("--no-env-file")
    assert authenticate(first["api_key"])
    assert run_json("--no-env-file")["api_key"] is None
    assert ApiKey.objects.count() == 1
    assert not env_file.exists()


def test_another_file_may_be_named(env_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "client.env"
    assert run_json("--env-file", str(other))["env_file"] == str(other)
    assert read_variable(other, "AGENTOPS_API_KEY")
    assert not env_file.exists()


def test_the_account_can_be_chosen(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_EMAIL", "Boss@Example.com")
    monkeypatch.setenv("BOOTSTRAP_PASSWORD", "a long enough one")
    run()
    assert User.objects.get().email == "boss@example.com"
    assert User.objects.get().check_password("a long enough one")
    monkeypatch.setenv("BOOTSTRAP_PASSWORD", "must not come back")  # the account has one, perhaps a newer one
    run()
    assert User.objects.get().check_password("a long enough one")
    run("--password", "but this was asked for")
    assert User.objects.get().check_password("but this was asked for")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--password", "short"], "too short"),
        (["--email", "nobody"], "valid email"),
        (["--env-file", "/proc/nowhere/.env"], "--no-env-file"),
        (["--env-file", "/"], "--no-env-file"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_left_behind(
    env_file: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert counts() == (0, 0, 0, 0, 0)


def test_a_key_that_cannot_be_written_down_is_not_made(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("projects.bootstrap.set_variables", full)
    with pytest.raises(BootstrapError, match="No space left on device"):
        bootstrap(env_file=env_file)
    assert counts() == (0, 0, 0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_runs_at_the_same_time_make_everything_once(env_file: Path) -> None:
    def work(_: int) -> str | None:
        try:
            return bootstrap(env_file=env_file).api_key
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        made = [key for key in pool.map(work, range(6)) if key]
    assert counts() == (1, 1, 1, 1, 1)
    assert made == [read_variable(env_file, "AGENTOPS_API_KEY")]
    forget()
    assert authenticate(made[0])
