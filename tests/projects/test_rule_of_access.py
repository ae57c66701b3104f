"""Which rows somebody reaches is said in QuerySets and in projects/access.py: no view, serializer or consumer says it
by hand. Read from the syntax of every door.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model

from projects.models import Organization, Project

ROOT = Path(__file__).parents[2]
DOORS = (
    "agentops_portal/templatetags/*.py",
    "agentops_portal/views.py",
    "compat/**/*.py",
    "guardrails/**/api/*.py",
    "guardrails/**/pages/*.py",
    "projects/api/**/*.py",
    "projects/joining.py",
    "projects/opened.py",
    "projects/recovery.py",
    "projects/views.py",
    "traces/api/**/*.py",
    "traces/ingest/receipts/api.py",
    "traces/live/*.py",
    "traces/mcp/*.py",
    "traces/pages/*.py",
)
# Methods of QuerySets that take who asks, or rows that were found for whoever asks, or a secret that proves it.
SCOPING = {
    "visible_to",
    "administered_by",
    "owned_by",
    "revocable_by",
    "addressed_to",
    "of_agents",
    "with_token",
    "none",
}
# Functions that take rows and apply `visible_to` themselves.
SCOPING_FUNCTIONS = {"rows_for", "visible_project", "visible_organization"}
# Words of a look-up that decide who may reach a row.
WORDS = {"project", "organization", "organizations", "membership", "memberships", "role"}
LOOK_UPS = {
    "filter",
    "exclude",
    "get",
    "get_or_create",
    "update_or_create",
    "create",
    "aggregate",
    "annotate",
    "Q",
    "get_object_or_404",
    "get_list_or_404",
}
# Module and model → what proves that the row may be reached.
PROVEN = {("projects/joining.py", "Invitation"): "the token in the address, which is compared with the row"}


def tenant_models() -> set[str]:
    """Organizations, projects and every model with a way of foreign keys to them."""
    found: set[type[Model]] = {Organization, Project}
    while True:
        more = {
            model
            for model in apps.get_models()
            for field in model._meta.get_fields()
            if isinstance(field, ForeignKey) and field.related_model in found
        }
        if more <= found:
            return {model.__name__ for model in found}
        found |= more


def faults(source: str, module: str, tenants: set[str]) -> Iterator[tuple[int, str]]:
    """Line and fault, of a door."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in LOOK_UPS:
            for key in _keys(node):
                if {word.removesuffix("_id") for word in key.split("__")} & WORDS:
                    yield node.lineno, f"{_name(node.func)}({key}=…)"
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager"):
            model = _name(node.value)
            if model in tenants and (module, model) not in PROVEN and not _is_scoped(node, parents):
                yield node.lineno, f"{model}.objects without who asks"


def _keys(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg
        elif isinstance(keyword.value, ast.Dict):
            yield from (str(key.value) for key in keyword.value.keys if isinstance(key, ast.Constant))


def _is_scoped(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a method of the chain, or the function that the chain is given to, asks who asks."""
    while True:
        parent = parents[node]
        if isinstance(parent, ast.Attribute):
            if parent.attr in SCOPING:
                return True
        elif isinstance(parent, ast.keyword):
            pass
        elif isinstance(parent, ast.Call):
            if parent.func is not node:
                return _name(parent.func) in SCOPING_FUNCTIONS
        else:
            return False
        node = parent


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _doors() -> list[Path]:
    return sorted({path for pattern in DOORS for path in ROOT.glob(pattern)})


def test_no_door_says_by_hand_who_reaches_what() -> None:
    tenants = tenant_models()
    found = [
        f"{path.relative_to(ROOT)}:{line}: {fault}"
        for path in _doors()
        for line, fault in faults(path.read_text(), str(path.relative_to(ROOT)), tenants)
    ]

    assert not found, "\n" + "\n".join(found)


def test_the_doors_and_their_rows_are_there() -> None:
    for pattern in DOORS:
        assert list(ROOT.glob(pattern)), pattern
    for module, model in PROVEN:
        assert f"{model}.objects" in (ROOT / module).read_text(), f"{module} needs no exception"
    assert {"ApiKey", "Membership", "Agent", "AgentRun", "ShareLink", "Upload", "Erasure", "IngestReceipt"} <= (
        tenant_models()
    )
    assert "User" not in tenant_models()


@pytest.mark.parametrize(
    "line",
    [
        "Project.objects.filter(pk=1)",
        "Project.objects.active().filter(pk=request.auth.project_id)",
        "rows = Upload.objects.all()",
        "list(Agent.objects.of_project(project.pk))",
        "models.ShareLink.objects.get(pk=link_id)",
        "Project._default_manager.first()",
        "get_object_or_404(Project.objects, pk=project_id)",
        "visible.filter(project=project)",
        "visible.filter(project_id__in=ids)",
        "visible.exclude(organization__memberships__role='owner')",
        "project.organization.memberships.filter(user=user, role=Role.OWNER).exists()",
        "keys.filter(Q(project__in=ids) | Q(pk=1))",
        "visible.filter(**{'organization__memberships__user': user.pk})",
        "get_object_or_404(rows, project=project_id)",
        "Agent.objects.get_or_create(project=project, name='x')",
    ],
)
def test_what_is_said_by_hand_is_found(line: str) -> None:
    assert list(faults(line, "door.py", tenant_models())), line


@pytest.mark.parametrize(
    "line",
    [
        "Project.objects.visible_to(actor).filter(pk=1, name__in=names)",
        "ApiKey.objects.visible_to(actor).of_project(project.pk)",
        "Project.objects.with_role_of(actor).administered_by(actor).first()",
        "rows_for(request, Upload.objects.all(), project_id)",
        "visible_project(actor, project_id, among=Project.objects.with_key_prefix(now()))",
        "User.objects.filter(email=email)",
        "project.keys.filter(name='x')",
    ],
)
def test_what_the_querysets_say_is_no_fault(line: str) -> None:
    assert not list(faults(line, "door.py", tenant_models())), line
