"""Brings what the package says of the models that were seen into the price book, and keeps it up to date."""

from collections.abc import Iterable

from django.db import transaction

from projects.services import record

from .models import ModelPrice, Source, of_package
from .package import entries_for, source

Named = tuple[str, str]  # provider and model, as spans name them


def learn(seen: Iterable[Named]) -> int:
    """Add the package's entries of models that have none; gives the number of entries that are new.

    Safe to run at the same time in several processes.
    """
    wanted = {(provider.lower(), model.lower()) for provider, model in seen if model}
    known = set(ModelPrice.objects.filter(source=Source.PACKAGE).values_list("provider", "model"))
    news = [entry for name in sorted(wanted - known) for entry in entries_for(*name)]
    before = ModelPrice.objects.count()
    ModelPrice.objects.bulk_create(of_package(news, source().split()[-1]), ignore_conflicts=True)
    return ModelPrice.objects.count() - before


@transaction.atomic
def renew() -> list[str]:
    """Give the entries that came from an earlier version of the package what the installed one says.

    Gives the models whose rates differ, each of which leaves an audit event. What persons wrote stays.
    """
    version = source().split()[-1]
    old = ModelPrice.objects.select_for_update().filter(source=Source.PACKAGE).exclude(source_version=version)
    names = sorted(set(old.values_list("provider", "model")))
    changed = []
    for provider, model in names:
        rows = ModelPrice.objects.filter(source=Source.PACKAGE, provider=provider, model=model)
        before = [price.entry() for price in rows]
        after = entries_for(provider, model)
        if not after:
            continue  # the package dropped it; what was paid stays what it was
        rows.delete()
        ModelPrice.objects.bulk_create(of_package(after, version))
        if len(before) != len(after) or any(entry not in after for entry in before):
            changed.append(model)
            record("price.renewed", actor=None, target=model, provider=provider, version=version)
    return changed
