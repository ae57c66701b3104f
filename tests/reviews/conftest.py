import pytest
from django.test import Client

from projects.models import Project
from tests.browser import signed_in
from tests.cast import Cast, make_cast
from tests.kept import give

from .world import guarded


@pytest.fixture
def cast(db: None) -> Cast:
    """Whose project has the runs of world.py; everybody reads English in UTC."""
    cast = make_cast()
    give(cast.project, guarded())
    return cast


@pytest.fixture
def project(cast: Cast) -> Project:
    return cast.project


@pytest.fixture
def bob(cast: Cast) -> Client:
    return signed_in(cast.bob)
