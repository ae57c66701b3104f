import pytest

from tests.api.conftest import _fresh_credentials, cast
from tests.cast import Cast

from .reading import Everybody

__all__ = ["_fresh_credentials", "cast"]


@pytest.fixture
def everybody(cast: Cast) -> Everybody:
    return Everybody(cast)
