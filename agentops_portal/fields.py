"""A field and validators that more than one model needs."""

import unicodedata
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


def lower_email(value: str) -> str:
    """The one spelling under which an address is stored, compared and invited."""
    return value.strip().lower()


class LowerCaseEmailField(models.EmailField):
    """An e-mail address that is lower-cased on the way in, in look-ups too.

    Mail servers treat the part before the @ as they like; people do not expect two accounts for two spellings.
    """

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return lower_email(prepared) if isinstance(prepared, str) else prepared

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return lower_email(found) if isinstance(found, str) else found

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)  # so that the object says what the row says
        return value


# They turn text around: what is read is not what is written. https://www.unicode.org/reports/tr9/
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_unprintable(character: str) -> bool:
    """A control character, the end of a line or paragraph, half a pair of surrogates, or one that turns text around.

    Joiners are none: Hindi, Persian and emoji are written with them.
    """
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _TURNS


def validate_name(value: str) -> None:
    """Raises ValidationError unless `value` is one line of visible text: names stand in subjects, lists and files."""
    if any(map(is_unprintable, value)):
        raise ValidationError(_("Write a name in one line, without control characters."), code="control_characters")


def one_line(text: str) -> str:
    """The text without what `validate_name` refuses, and with single blanks."""
    return " ".join("".join(" " if is_unprintable(each) else each for each in text).split())


@cache
def timezone_names() -> frozenset[str]:
    """The names of the IANA time zone database; read once, for it is a folder of 600 files."""
    return frozenset(available_timezones() - {"localtime", "posixrules"})


def validate_timezone(value: str) -> None:
    """Raises ValidationError unless `value` is a name of the IANA time zone database, such as Asia/Seoul."""
    if value not in timezone_names():
        raise ValidationError(
            _("%(value)s is not a time zone: write an IANA name such as Asia/Seoul."),
            code="timezone",
            params={"value": value},
        )
