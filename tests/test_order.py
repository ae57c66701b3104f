"""A file that was renamed would be tested last, and nobody would see why a run takes longer."""

import pytest

from .order import LONGEST, TESTS


@pytest.mark.parametrize("name", LONGEST)
def test_what_comes_first_is_there(name: str) -> None:
    assert (TESTS / name).exists()
