"""The kinds of things that a rule may look for by name."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from . import korean, personal
from .hits import Finder


class Entity(models.TextChoices):
    """In this order: of two that stand in the same place and are as long, the first names it."""

    EMAIL = "email", _("E-mail address")
    KR_RRN = "kr_rrn", _("Korean resident registration number")
    KR_FRN = "kr_frn", _("Korean foreigner registration number")
    KR_BRN = "kr_brn", _("Korean business registration number")
    CARD = "card", _("Payment card")
    IBAN = "iban", _("Bank account (IBAN)")
    PASSPORT = "passport", _("Passport number")
    PHONE = "phone", _("Phone number")
    IP = "ip", _("IP address")
    SECRET = "secret", _("API key, token or private key")


_FINDERS: Final[dict[str, Finder]] = {
    Entity.EMAIL: personal.emails,
    Entity.KR_RRN: korean.residents,
    Entity.KR_FRN: korean.foreigners,
    Entity.KR_BRN: korean.businesses,
    Entity.CARD: personal.cards,
    Entity.IBAN: personal.ibans,
    Entity.PASSPORT: personal.passports,
    Entity.IP: personal.addresses,
    Entity.SECRET: personal.secrets,
}


def finder_of(entity: str, country: str) -> Finder:
    """country: in which phone numbers without one are dialled, ISO 3166, such as KR."""
    return personal.phones_of(country) if entity == Entity.PHONE else _FINDERS[entity]
