from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from guardrails.reports import contents
from guardrails.reports.contents import Figures
from guardrails.reports.models import ReportSchedule
from guardrails.reports.periods import Period
from projects.models import Project
from tests.cast import Cast, make_cast
from tests.kept import give

from .world import Mailbox, mail_server, week


@pytest.fixture
def cast(db: None) -> Cast:
    """Whose project has the week of world.py."""
    cast = make_cast()
    give(cast.project, week())
    return cast


@pytest.fixture(autouse=True)
def _asked_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """ClickHouse is asked once for what stays the same: the spans of the week are for reading (tests/kept.py)."""
    if not request.node.get_closest_marker("asks_anew"):
        monkeypatch.setattr(contents, "_of_project", _remembered)


def _remembered(project: Project, period: Period, before: Period, schedule: ReportSchedule) -> Figures:
    key = (project.pk, period.start, period.end, schedule.frequency)
    if key not in _answers:
        _answers[key] = _of_project(project, period, before, schedule)
    return deepcopy(_answers[key])


_of_project = contents._of_project
_answers: dict[tuple[object, ...], Figures] = {}


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as box:
        yield box
