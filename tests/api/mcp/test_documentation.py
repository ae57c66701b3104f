"""The example in docs/mcp.md is run as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.cast import Cast
from tests.pages.spans import Spanlet, store_trace, trace_id

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

DOCUMENT = (Path(settings.BASE_DIR) / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_the_python_of_the_documentation_runs(web: str, key: str, cast: Cast) -> None:
    store_trace(cast.project.pk, [Spanlet("broken", status=2), Spanlet("fine", id=2, parent=1)])
    [script] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", script.replace("http://localhost:8003", web)],
        env={"PATH": os.environ["PATH"], "AGENTOPS_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 trace from ")
    assert trace_id(1) in done.stdout


def test_the_documentation_names_the_tools() -> None:
    from traces.mcp.server import TOOLS

    assert re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE) == list(TOOLS)
