"""Korean numbers.

Resident and foreigner registration numbers issued since October 2020 end in random digits instead of a checksum, and
whoever is registered anew gets one, whatever the year of birth. So a number that is written as one (900101-1234567)
needs a real date of birth alone; 13 digits in a row, which may be anything, also the checksum, unless the birth is so
late that there is none.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from stdnum.exceptions import ValidationError
from stdnum.kr import brn, rrn

from .hits import Hit, words_at

WITHOUT_CHECKSUM: Final = date(2020, 10, 1)
_REGISTERED = words_at(r"\d{6}(?:\s?[-–‐]\s?)?[1-8]\d{6}")
_BUSINESS = words_at(r"\d{3}-?\d{2}-?\d{5}")
_WEIGHTS: Final = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def residents(text: str) -> Iterator[Hit]:
    """Resident registration numbers: of citizens, the 7th digit is 1 to 4."""
    return _registered(text, "1234", "KR_RRN")


def foreigners(text: str) -> Iterator[Hit]:
    """Foreigner registration numbers: the 7th digit is 5 to 8."""
    return _registered(text, "5678", "KR_FRN")


def businesses(text: str) -> Iterator[Hit]:
    """Business registration numbers, whose last digit is a checksum (stdnum looks at their form only)."""
    for start, end, found in _BUSINESS(text):
        number = brn.compact(found)
        if brn.is_valid(number) and _business_check(number) == number[-1]:
            yield Hit(start, end, "KR_BRN")


def _registered(text: str, seventh: str, kind: str) -> Iterator[Hit]:
    for start, end, found in _REGISTERED(text):
        number = "".join(filter(str.isdigit, found))
        if number[6] in seventh and _is_registered(number, is_written=len(found) > len(number)):
            yield Hit(start, end, kind)


def _is_registered(number: str, *, is_written: bool) -> bool:
    try:
        born = rrn.get_birth_date(number, allow_future=False)
    except ValidationError:
        return False
    return is_written or born >= WITHOUT_CHECKSUM or _registration_check(number) == number[-1]


def _registration_check(number: str) -> str:
    """Of foreigners two more than of citizens."""
    of_citizens = int(rrn.calc_check_digit(number[:-1]))
    return str((of_citizens + 2) % 10 if number[6] in "5678" else of_citizens)


def _business_check(number: str) -> str:
    digits = [int(each) for each in number]
    total = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=False)) + digits[8] * 5 // 10
    return str(-total % 10)
