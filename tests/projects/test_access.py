"""Who finds, changes and owns what: people by their role, keys by their project. The doors have tests of their own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from agentops_portal.refusals import NotAllowed, NotSignedIn, NotThere
from projects import access, credentials
from projects.credentials import Credential
from projects.models import ApiKey, Invitation, Organization, Project
from projects.querysets import Actor
from projects.services import create_api_key, delete_project
from tests.cast import Cast, assert_sees
from traces.ingest.agents import Agent, AgentType
from traces.ingest.receipts.models import IngestReceipt
from traces.ingest.uploads import Upload, add_object
from traces.lifecycle.erasure.records import Erasure
from traces.reading.sharing import ShareLink, share_trace


@pytest.fixture
def key(cast: Cast) -> Iterator[Credential]:
    """Of a key of Alice's project."""
    credentials.forget()
    yield credentials.authenticate(create_api_key(project=cast.project, name="machine").secret)
    credentials.forget()


def test_owners_own(cast: Cast) -> None:
    for name, may in {"alice": True, "ann": False, "bob": False, "bo": False, "charlie": False, "root": True}.items():
        assert Project.objects.owned_by(cast[name]).filter(pk=cast.project.pk).exists() is may, name
        assert Organization.objects.owned_by(cast[name]).filter(pk=cast.organization.pk).exists() is may, name
    assert_sees(Project.objects.owned_by(cast.alice), visible=[cast.project], hidden=[cast.foreign_project])
    delete_project(project=cast.project, actor=cast.alice)
    assert_sees(Project.objects.owned_by(cast.root), visible=[cast.foreign_project], hidden=[cast.project])


def test_a_key_sees_its_own_project_and_administers_and_owns_nothing(cast: Cast, key: Credential) -> None:
    sibling = Project.objects.create(organization=cast.organization, name="Another of Alice's")
    hidden = [sibling, cast.foreign_project]

    assert_sees(Project.objects.visible_to(key), visible=[cast.project], hidden=hidden)
    empty: list[QuerySet[Project] | QuerySet[Organization] | QuerySet[Invitation]] = [
        Project.objects.administered_by(key),
        Project.objects.owned_by(key),
        Organization.objects.visible_to(key),
        Organization.objects.administered_by(key),
        Organization.objects.owned_by(key),
        Invitation.objects.administered_by(key),
        Invitation.objects.addressed_to(key),
    ]
    assert not any(rows.exists() for rows in empty)
    assert Project.objects.with_role_of(key).get(pk=cast.project.pk).role is None
    delete_project(project=cast.project, actor=cast.alice)
    assert_sees(Project.objects.visible_to(key), visible=[], hidden=[cast.project])


def test_rows_of_a_project_are_seen_by_who_sees_the_project(cast: Cast, key: Credential) -> None:
    models = (ApiKey, Agent, Upload, ShareLink, IngestReceipt)
    own, foreign = (_one_of_each(cast, project) for project in (cast.project, cast.foreign_project))
    members: list[Actor] = [cast.alice, cast.bo, key]

    for model in models:
        for actor in members:
            rows = model.objects.visible_to(actor)
            assert_sees(rows, visible=[own[model]], hidden=[foreign[model]])
        assert not model.objects.visible_to(AnonymousUser()).exists()
    assert_sees(Erasure.objects.visible_to(cast.ann), visible=[own[Erasure]], hidden=[foreign[Erasure]])
    for lower in (cast.bob, key):  # what was deleted names people
        assert not Erasure.objects.visible_to(lower).exists()


def _one_of_each(cast: Cast, project: Project) -> dict[type, object]:
    issued = create_api_key(project=project, name="a key")
    made = share_trace(project=project, trace_id="ab" * 16, days=1, key_id=issued.key.pk)
    now = made.link.created_at
    receipt = IngestReceipt.objects.create(key=issued.key, hour=now, first_seen_at=now, last_seen_at=now)
    return {
        ApiKey: issued.key,
        Agent: Agent.objects.create(project=project, name="Registered", type=AgentType.CUSTOM),
        Upload: add_object(project=project, content=b"x"),
        ShareLink: made.link,
        IngestReceipt: receipt,
        Erasure: Erasure.objects.create(project=project, kind="user", value="user-9"),
    }


def test_links_are_revoked_by_who_made_them_and_by_administrators(cast: Cast, key: Credential) -> None:
    by_key = share_trace(project=cast.project, trace_id="ab" * 16, days=1, key_id=key.key_id).link
    by_bob = share_trace(project=cast.project, trace_id="ab" * 16, days=1, actor=cast.bob).link

    assert_sees(ShareLink.objects.revocable_by(key), visible=[by_key], hidden=[by_bob])
    assert_sees(ShareLink.objects.revocable_by(cast.bob), visible=[by_bob], hidden=[by_key])
    assert_sees(ShareLink.objects.revocable_by(cast.ann), visible=[by_key, by_bob], hidden=[])
    assert not ShareLink.objects.revocable_by(cast.bo).exists()
    assert not ShareLink.objects.revocable_by(AnonymousUser()).exists()


def test_what_is_not_seen_is_not_there_whatever_is_asked_for(cast: Cast, key: Credential) -> None:
    for actor, found in ((cast.bo, True), (key, True), (cast.charlie, False), (AnonymousUser(), False)):
        for project_id in (cast.project.pk, str(cast.project.pk)):
            if found:
                assert access.visible_project(actor, project_id) == cast.project
                continue
            with pytest.raises(NotThere, match="There is no such project"):
                access.visible_project(actor, project_id)
    for nonsense in ("", "x", "\0", "'--", str(uuid4()), uuid4()):
        with pytest.raises(NotThere, match="Nothing here"):
            access.visible_project(cast.root, nonsense, missing="Nothing here")
        with pytest.raises(NotThere, match="Nothing here"):
            access.visible_organization(cast.root, nonsense, missing="Nothing here")
    for function in (access.administered_project, access.check_owner_of):
        with pytest.raises(NotThere):
            function(cast.charlie, cast.project.pk)
        with pytest.raises(NotAllowed, match="Only owners"):
            function(cast.bob, cast.project.pk)
        function(cast.alice, cast.project.pk)


def test_a_key_changes_nothing(cast: Cast, key: Credential) -> None:
    with pytest.raises(NotAllowed, match="Only owners and admins"):
        access.administered(key, cast.project)
    with pytest.raises(NotAllowed, match="Not by machines"):
        access.owned(key, cast.organization, "Not by machines")
    with pytest.raises(NotSignedIn):
        access.person(key)
    with pytest.raises(NotSignedIn):
        access.person(AnonymousUser())
    assert access.person(cast.bob) == cast.bob


def test_owners_of_a_deleted_project_are_known(cast: Cast) -> None:
    delete_project(project=cast.project, actor=cast.alice)

    access.check_owner_of(cast.alice, cast.project.pk)
    with pytest.raises(NotAllowed):
        access.check_owner_of(cast.ann, cast.project.pk)


def test_the_id_of_a_keys_project_takes_no_query(cast: Cast, key: Credential) -> None:
    """A socket is checked every few seconds."""
    with CaptureQueriesContext(connection) as queries:
        assert access.visible_project_id(key, str(cast.project.pk)) == cast.project.pk
        for other in (str(cast.foreign_project.pk), "x"):
            with pytest.raises(NotThere):
                access.visible_project_id(key, other)
    assert not queries
    assert access.visible_project_id(cast.bo, str(cast.project.pk)) == cast.project.pk
    with pytest.raises(NotThere):
        access.visible_project_id(cast.charlie, str(cast.project.pk))


def test_scopes_are_of_keys(cast: Cast, key: Credential) -> None:
    sender = Credential(key.project_id, key.key_id, frozenset({"ingest"}))

    assert access.has_scope(cast.bo, "read", "ingest")
    assert access.has_scope(sender, "ingest")
    assert not access.has_scope(sender, "ingest", "read")
    assert access.own_project_id(sender) == cast.project.pk
    assert access.own_project_id(cast.bo) is None
