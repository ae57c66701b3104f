from collections.abc import Iterator
from typing import Any

import pytest

from tests.cast import Cast, make_cast
from tests.kept import give

from .world import Mailbox, mail_server, week


@pytest.fixture
def cast(db: None) -> Cast:
    """Whose project has the week of world.py."""
    cast = make_cast()
    give(cast.project, week())
    return cast


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as box:
        yield box
