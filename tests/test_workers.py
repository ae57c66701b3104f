from pathlib import Path
from types import SimpleNamespace

import pytest

from .workers import MOST, pytest_xdist_auto_num_workers

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("named", "processors", "workers"),
    [
        (["tests/test_csv_text.py"], 2, 0),
        (["tests/test_csv_text.py::test_a", "tests/test_csv_text.py::test_b"], 2, 0),
        (["tests/test_csv_text.py", "tests/test_gate.py"], 2, 2),
        (["tests/shape"], 2, 2),  # two files
        (["tests"], 2, 3),
        (["tests"], 64, MOST),
    ],
)
def test_one_file_needs_no_worker(
    named: list[str], processors: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setattr("os.process_cpu_count", lambda: processors, raising=False)
    config = SimpleNamespace(args=named, invocation_params=SimpleNamespace(dir=HERE.parent))
    assert pytest_xdist_auto_num_workers(config) == workers  # type: ignore[arg-type]
