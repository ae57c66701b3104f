"""Discounts, against a sheet that was worked out by hand, by every door that tells one call or one trace."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import get_client
from projects.models import Organization
from tests.cast import Cast, make_cast
from tests.pages.spans import MS, Spanlet, request_of, span_id, store, trace_id
from tests.prices.test_computed import IN, OUT, call
from traces.mcp.trace_tools import TraceParameters, get_trace
from traces.store.prices.book import PriceBook
from traces.store.prices.entries import Entry
from traces.store.prices.exchange import Read, read_file
from traces.store.prices.filling import fill, lacks_names
from traces.store.prices.models import ModelPrice
from traces.store.prices.repricing import preview
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_list import totals
from traces.store.queries.usage import usage_total
from traces.store.schema.rates import HELD

JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))
LIST = "/admin/traces/modelprice/"
NAME = uuid4().hex[:6]
BRAIN, SAGE, FREE, GIFT = (f"{name}-{NAME}" for name in ("brain", "sage", "free", "gift"))
STARTS = {number: int(moment.timestamp()) * 1000 * MS for number, moment in enumerate((JUNE, JULY, AUGUST), start=1)}
# Trace (month), provider, model, dollars for a million in and out, per cent off. Brain costs 2 + 4, sage 10.
OTHERS = [
    (1, "acme", BRAIN, "6", []),
    (2, "acme", BRAIN, "5.4", [10]),  # acme's discount of July
    (2, "bolt", BRAIN, "6", []),
    (2, "acme", SAGE, "9.5", [5]),  # its own
    (2, "bolt", FREE, "0", []),
    (3, "acme", BRAIN, "6", []),
]
OWN = [
    (1, "acme", BRAIN, "6", []),
    (2, "acme", BRAIN, "4.5", [25]),  # the organization's goes before the installation's; they do not add up
    (2, "acme", SAGE, "9.5", [5]),
    (2, "bolt", GIFT, "0", [100]),
    (3, "bolt", BRAIN, "4.5", [25]),
    (3, "bolt", f"later-{NAME}", "1.5", [25]),  # 1 + 1
]


def in_book(cast: Cast) -> None:
    ModelPrice.objects.create(model=BRAIN, rates={"input": "2", "output": "4"})
    ModelPrice.objects.create(model=SAGE, rates={"input": "10", "output": "0"}, discount=5)
    ModelPrice.objects.create(model=FREE, rates={"input": "0", "output": "0"})
    ModelPrice.objects.create(model=GIFT, rates={"input": "1", "output": "1"}, discount=100)
    ModelPrice.objects.create(model="later-*", rates={"input": "1", "output": "1"})


def discounts(cast: Cast) -> None:
    ModelPrice.objects.create(provider="acme", model="*", discount=10, valid_from=JULY, valid_until=AUGUST)
    ModelPrice.objects.create(organization=cast.organization, model="*", discount=25, valid_from=JULY)


def stored(project_id: UUID, sheet: list[Any]) -> None:
    traces: dict[int, list[Spanlet]] = {}
    for number, (month, provider, model, *_) in enumerate(sheet, start=1):
        traces.setdefault(month, []).append(call(number, provider, model, {IN: 1_000_000, OUT: 1_000_000}))
    store(project_id, request_of(traces, STARTS))


@pytest.fixture
def book(db: None) -> Iterator[Cast]:
    """Prices, and no discounts yet. Other tests count on it that nothing has a price."""
    cast = make_cast()
    in_book(cast)
    fill()
    yield cast
    get_client().command(f"TRUNCATE TABLE {ddl.database()}.{HELD}")


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.usefixtures("own_store")
def test_what_a_discount_lowers_and_who_says_so(book: Cast) -> None:
    cast, before = book, uuid4()
    stored(before, OTHERS[:4])
    assert usage_total(whole_time(before)).cost.computed == Decimal("27.5")  # 6 + 6 + 6 + 9.5
    discounts(cast)
    change = preview()
    assert (change.calls, change.before - change.after) == (1, Decimal("0.6"))
    fill()
    own, others = cast.project.pk, cast.foreign_project.pk
    stored(own, OWN)
    stored(others, OTHERS)
    # A model that nobody called before is among those of an organization's `*` when somebody has looked.
    assert lacks_names()
    fill()
    assert not lacks_names()

    client = Client()
    client.force_login(cast.root)
    for project_id, person, sheet in ((own, "bob", OWN), (others, "charlie", OTHERS)):
        client.force_login(cast[person])
        check_doors(client, project_id, sheet)
    whole = sum((Decimal(dollars) for *_, dollars, _ in OTHERS), Decimal(0))
    assert (
        totals(whole_time(others), TraceFilter()).cost.computed == usage_total(whole_time(others)).cost.known == whole
    )
    # What a client reported stays as it is.
    reported = call(7, "acme", BRAIN, {IN: 1000, "gen_ai.usage.cost": "3"})
    store(own, request_of({4: [reported]}, STARTS[2]))
    said = client.get(f"/api/v1/projects/{own}/traces/{trace_id(4)}")
    assert said.status_code == 404  # Charlie's eyes are not Alice's
    client.force_login(cast["bob"])
    cost = client.get(f"/api/v1/projects/{own}/traces/{trace_id(4)}").json()["cost"]
    assert (cost["reported"], cost["computed"], cost["discounts"]) == ("3", None, [])


def check_doors(client: Client, project_id: UUID, sheet: list[Any]) -> None:
    api = f"/api/v1/projects/{project_id}/traces"
    traces = {number: client.get(f"{api}/{trace_id(number)}?include=spans").json() for number in STARTS}
    by_api = {span["span_id"]: span["cost"] for trace in traces.values() for span in trace["spans"]}
    file = client.get(f"{api}/export?format=json&spans=true&start=2026-05-01T00:00:00Z&end=2026-09-01T00:00:00Z")
    exported = {
        span["span_id"]: (span["cost_usd"], span["discount_percent"])
        for trace in json.loads(file.getvalue())["traces"]
        for span in trace["spans"]
    }
    for number, (_, _, model, dollars, percents) in enumerate(sheet, start=1):
        cost = by_api[span_id(number)]
        assert (cost["computed"], cost["reported"], cost["provenance"]) == (dollars, None, "computed"), (number, model)
        assert (cost["discounts"], cost["unknown_calls"]) == (percents, 0)
        assert exported[span_id(number)] == (float(dollars), percents[0] if percents else None)
    for month, trace in traces.items():
        percents = sorted({percent for each, *_, percents in sheet if each == month for percent in percents})
        assert trace["cost"]["discounts"] == percents
        said = get_trace(project_id, TraceParameters.model_validate({"trace_id": trace_id(month)})).result.model_dump()
        assert said["trace"]["cost"]["discounts"] == percents
    page = client.get(f"/projects/{project_id}/traces/{trace_id(2)}/").content.decode()
    span = client.get(f"/projects/{project_id}/traces/{trace_id(2)}/spans/{span_id(2)}/").content.decode()
    if "25 %" in span:
        assert "by the price book, 25 % discount" in span
        assert "by the price book, 5 %, 25 %, 100 % discount" in page
        gift = client.get(f"/projects/{project_id}/traces/{trace_id(2)}/spans/{span_id(4)}/").content.decode()
        assert "free by the price book, 100 % discount" in gift
    else:
        assert "by the price book, 10 % discount" in span
        assert "by the price book, 5 %, 10 % discount" in page
        free = client.get(f"/projects/{project_id}/traces/{trace_id(2)}/spans/{span_id(5)}/").content.decode()
        assert "free by the price book</small>" in free


def test_a_discount_cuts_an_entry_where_it_begins_and_ends() -> None:
    rates = {"input": Decimal(1)}
    book = PriceBook(
        [
            Entry(model="gpt-4o", rates=rates, valid_until=AUGUST),
            Entry(model="gpt-4o", rates=rates, valid_from=AUGUST, is_own=True),
            Entry(model="*", rates={}, discount=Decimal(10), valid_from=JULY),
            Entry(model="gpt-*", rates={}, discount=Decimal(20), valid_until=JUNE),
        ]
    )

    assert [(each.valid_from, each.valid_until, each.discount) for each in book.candidates("openai", "gpt-4o")] == [
        (AUGUST, None, None),  # an organization's own rates are as agreed
        (None, JUNE, Decimal(20)),
        (JUNE, JULY, None),
        (JULY, AUGUST, Decimal(10)),
    ]
    assert book.candidates("openai", "o1") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"model": "*"}, "rates"),
        ({"model": "*", "discount": 101}, "discount"),
        ({"model": "*", "discount": -1}, "discount"),
        ({"model": "*", "discount": 5, "context_over": 9}, "context_over"),
    ],
)
def test_what_is_no_discount_is_refused(entry: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as failure:
        ModelPrice(**entry).full_clean()
    assert set(failure.value.message_dict) == {field}
    ModelPrice(model="*", discount=0).full_clean()


@pytest.mark.django_db
def test_they_go_out_and_in_as_a_file(tmp_path: Path) -> None:
    acme = Organization.objects.create(name="Acme")
    ModelPrice.objects.create(model="brain-1", rates={"input": "2"}, discount="12.5")
    ModelPrice.objects.create(model="*", organization=acme, discount=10, valid_from=JULY, valid_until=AUGUST)
    ModelPrice.objects.create(model="brain-2", rates={"input": "2"})
    for name in ("book.csv", "book.json"):
        file = tmp_path / name
        call_command("prices", "--export", str(file))
        assert read_file(file, dry_run=False) == Read(0, 0, 3, ())
        before = list(ModelPrice.objects.values_list("model", "rates", "discount", "valid_until"))
        ModelPrice.objects.all().delete()
        assert read_file(file, dry_run=False) == Read(3, 0, 0, ())
        assert list(ModelPrice.objects.values_list("model", "rates", "discount", "valid_until")) == before
    faulty = tmp_path / "faulty.csv"
    faulty.write_text("model,discount,input\n*,1000,\n*,much,\nbrain-1,,2\nbrain-9,,\n")

    read = read_file(faulty, dry_run=False)

    assert [fault.split(":")[0] for fault in read.faults] == ["Row 2", "Row 1", "Row 4"]
    assert ModelPrice.objects.get(model="brain-1").discount == Decimal("12.5")


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.usefixtures("own_store")
def test_in_the_administration() -> None:
    cast, root = make_cast(), Client()
    root.force_login(cast.root)
    entry = {"model": "*", "provider": "acme", "context_over": "0", "rates": "", "discount": "12.50", "note": ""}
    times = {f"valid_{end}_{part}": "" for end in ("from", "until") for part in (0, 1)}

    answer = root.post(f"{LIST}add/", entry | times | {"organization": ""}, follow=True).content.decode()

    assert "Then 0 stored calls on 0 days cost" in answer
    assert "12.5 %" in answer
    assert ModelPrice.objects.get().rates == {}
    refused = root.post(f"{LIST}add/", entry | times | {"organization": "", "discount": ""}).content.decode()
    assert "Give at least one rate, or a discount." in refused
