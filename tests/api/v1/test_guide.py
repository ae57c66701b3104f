"""docs/api.md: its commands run as they stand there."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer

from projects.services import create_api_key
from tests.cast import PASSWORD, make_cast
from tests.pages.spans import Spanlet, store_trace

from .conftest import call

GUIDE = Path(settings.BASE_DIR, "docs/api.md")


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_the_commands_of_the_guide_run(live_server: LiveServer, tmp_path: Path) -> None:
    cast = make_cast()
    issued = create_api_key(project=cast.project, name="guide")
    store_trace(cast.project.pk, [Spanlet("chat", attributes=call("gpt-4o", 3, 4, 0.5))])
    (tmp_path / ".env").write_text(f"AGENTOPS_API_KEY={issued.secret}\n")
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    script = "\n".join(blocks).replace("http://localhost:8003", live_server.url)
    environment = {"PATH": os.environ["PATH"], "EMAIL": cast.ann.email, "PASSWORD": PASSWORD}

    with override_settings(PORTAL_URL=live_server.url):
        run = subprocess.run(
            ["sh", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert run.returncode == 0, run.stderr + run.stdout
    assert '"trace_id":"00000000000000000000000000000001"' in run.stdout
    assert '"name":"nightly job"' in run.stdout
    assert (tmp_path / "traces.csv").read_text().startswith("trace_id,")
    cast.project.refresh_from_db()
    assert cast.project.retention_days == 30
    assert cast.project.keys.filter(name="nightly job").exists()
