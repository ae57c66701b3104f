from collections.abc import Iterator
from typing import Any

import pytest

from tests.cast import Cast, make_cast
from tests.kept import give
from tests.reports.world import Mailbox, mail_server

from .world import minutes


@pytest.fixture
def cast(db: None) -> Cast:
    """Whose project has the minutes of world.py."""
    cast = make_cast()
    give(cast.project, minutes())
    return cast


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as box:
        yield box
