from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from projects.models import AuditEvent
from tests.cast import make_cast
from tests.prices.test_computed import IN, OUT, call, stored
from traces.store.prices.models import ModelPrice, Source
from traces.store.queries.scopes import whole_time
from traces.store.queries.usage import usage_total
from traces.store.shape import renewal
from traces.tasks import price_new_models, reprice_stored

LIST = "/admin/traces/modelprice/"


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.usefixtures("own_store", "filled_book")
def test_a_model_without_a_price_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "MARGIN", renewal.MARGIN / 100)
    cast, root, name = make_cast(), Client(), f"thinker-{uuid4().hex[:6]}"
    root.force_login(cast.root)
    calls = [call(1, "acme", name, {IN: 1_000_000, OUT: 0}), call(2, "openai", "gpt-4o-2024-08-06", {IN: 1, OUT: 0})]
    project_id = stored(calls, datetime.now(UTC))

    seen = Decimal("0.0000025")  # what the package has a price for
    page = root.get(LIST).content.decode()
    assert f"{LIST}add/?model={name}" in page
    entry = {"model": name, "provider": "", "context_over": "0", "rates": '{"input": "3", "output": "4"}', "note": ""}
    times = {f"valid_{end}_{part}": "" for end in ("from", "until") for part in (0, 1)}
    answer = root.post(f"{LIST}add/", entry | times | {"organization": ""}, follow=True)

    assert "1 stored calls on 1 days cost $3.000000 in the place of $0.000000" in answer.content.decode()
    price = ModelPrice.objects.get(model=name)
    assert price.source == Source.PERSON
    assert usage_total(whole_time(project_id)).cost.computed == seen  # until somebody lets it count
    reprice_stored(str(cast.root.pk))
    assert usage_total(whole_time(project_id)).cost.computed == seen + 3
    price_new_models()
    assert not ModelPrice.objects.filter(model=name, source=Source.PACKAGE).exists()  # nobody knows it
    assert ModelPrice.objects.get(model="gpt-4o", provider="openai").rates["input"] == "2.5"
    assert f"{LIST}add/?model={name}" not in root.get(LIST).content.decode()
    assert AuditEvent.objects.get(action="price.repriced").actor == cast.root
    assert AuditEvent.objects.get(action="modelprice.created").target == name


@pytest.mark.django_db
def test_who_is_no_staff_sees_no_prices() -> None:
    client = Client()
    client.force_login(make_cast().alice)

    assert client.get(LIST).status_code in (302, 403)
