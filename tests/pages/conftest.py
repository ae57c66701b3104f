"""Alice is in Acme and sees its project; Bob is in another organization and must never see it."""

import pytest
from django.test import Client

from projects.models import Membership, Organization, Project, Role, User

PASSWORD = "correct horse battery staple"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice@example.com", PASSWORD, full_name="Alice", timezone="UTC", language="en")


@pytest.fixture
def bob() -> User:
    user = User.objects.create_user("bob@example.com", PASSWORD, timezone="UTC", language="en")
    Membership.objects.create(user=user, organization=Organization.objects.create(name="Other"), role=Role.OWNER)
    return user


@pytest.fixture
def project(alice: User) -> Project:
    organization = Organization.objects.create(name="Acme")
    Membership.objects.create(user=alice, organization=organization, role=Role.DEVELOPER)
    return Project.objects.create(name="Support bot", organization=organization)


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bobs_client(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client
