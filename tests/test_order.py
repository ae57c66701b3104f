"""A file that was renamed would be tested last, and nobody would see why a run takes longer."""

import pytest

from .order import LONGEST, TESTS, TOGETHER, scope_of


@pytest.mark.parametrize("name", [*LONGEST, *(name for names in TOGETHER for name in names)])
def test_what_comes_first_is_there(name: str) -> None:
    assert (TESTS / name).exists()


def test_files_that_share_something_dear_are_tested_by_one_worker() -> None:
    assert scope_of("tests/clients/test_a.py") == scope_of("tests/clients/test_b.py")
    assert scope_of("tests/rollups/test_usage.py") == scope_of("tests/rollups/test_guardrails.py")
    assert scope_of("tests/rollups/test_tags.py") == "tests/rollups/test_tags.py"
    assert scope_of("tests/test_order.py") == "tests/test_order.py"
