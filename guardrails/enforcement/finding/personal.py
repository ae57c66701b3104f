"""What is personal or secret wherever it is from. Each finder checks what its pattern proposes."""

import ipaddress
from collections.abc import Iterator
from typing import Final

import phonenumbers
from stdnum import iban, luhn

from .hits import Finder, Hit, compiled, words_at

LONGEST_RUN: Final = 80  # characters in which phone numbers are looked for at a time
OVERLAP: Final = 30
_EMAIL = words_at(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_DIALLED = compiled(r"[+(]?\d[\d().\-/ ]{6,}\d")
_CARD = words_at(r"\d(?:[ -]?\d){12,18}")
_IBAN = words_at(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
_IP = words_at(r"(?:\d{1,3}\.){3}\d{1,3}|(?i:[0-9a-f]{0,4}:){2,7}(?i:[0-9a-f]{0,4})(?:\.\d{1,3}){0,3}")
_PASSPORT = compiled(
    r"(?i:passport|여권)[^\n\d]{0,24}?[^A-Za-z0-9]([A-Z]{1,2}\d{6,8}|[A-Z]\d{3}[A-Z]\d{4}|\d{9})(?:[^A-Za-z0-9]|$)"
)
_MACHINE_READABLE = compiled(r"[A-Z0-9<]{9}\d[A-Z<]{3}\d{6}\d[MFX<]\d{6}\d[A-Z0-9<]{14}[\d<]\d")
_SECRETS: Final = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\z)",
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, LiteLLM, Langfuse
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS
    r"\bAIza[A-Za-z0-9_-]{35}",  # Google
    r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{20,}",
    r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"\bhf_[A-Za-z0-9]{30,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JSON Web Tokens
)
_SECRET = compiled("|".join(_SECRETS))
_VALUES: Final = {str(digit): digit for digit in range(10)} | {chr(65 + n): 10 + n for n in range(26)} | {"<": 0}


def emails(text: str) -> Iterator[Hit]:
    for start, end, found in _EMAIL(text):
        name = found.rpartition("@")[0]
        if not name.startswith(".") and not name.endswith(".") and ".." not in name:
            yield Hit(start, end, "EMAIL")


def phones_of(country: str) -> Finder:
    """Numbers that exist by the plan of their country; without a `+` they are read as dialled in `country`."""

    def phones(text: str) -> Iterator[Hit]:
        for run in _DIALLED.finditer(text):
            first, last = run.span()
            for at in range(first, last, LONGEST_RUN - OVERLAP):
                piece = text[at : min(at + LONGEST_RUN, last)]
                for match in phonenumbers.PhoneNumberMatcher(piece, country):
                    yield Hit(at + match.start, at + match.end, "PHONE")

    return phones


def cards(text: str) -> Iterator[Hit]:
    """By Luhn's checksum and the first digits that networks issue."""
    for start, end, found in _CARD(text):
        number = "".join(filter(str.isdigit, found))
        if (number[0] in "3456" or 2221 <= int(number[:4]) <= 2720) and luhn.is_valid(number):
            yield Hit(start, end, "CARD")


def ibans(text: str) -> Iterator[Hit]:
    """By the form of the country and mod 97. Words in capitals may follow one: the longest that is right counts."""
    for start, _, found in _IBAN(text):
        parts = found.split(" ")
        for count in range(len(parts), 0, -1):
            number = " ".join(parts[:count])
            if iban.is_valid(number, check_country=False):
                yield Hit(start, start + len(number), "IBAN")
                break


def addresses(text: str) -> Iterator[Hit]:
    for start, end, found in _IP(text):
        try:
            ipaddress.ip_address(found)
        except ValueError:
            continue
        is_longer = text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit()  # a version, such as 1.2.3.4.5
        if len(found) > len("::1") and not is_longer:  # `::` and its like are found in code
            yield Hit(start, end, "IP")


def passports(text: str) -> Iterator[Hit]:
    """The number behind the word (its form says little), or a machine-readable line by its check digits."""
    for match in _PASSPORT.finditer(text):
        yield Hit(match.start(1), match.end(1), "PASSPORT")
    for match in _MACHINE_READABLE.finditer(text):
        line = match.group()
        if all(_check(line[a:b]) == line[b] for a, b in ((0, 9), (13, 19), (21, 27))):
            yield Hit(match.start(), match.end(), "PASSPORT")


def secrets(text: str) -> Iterator[Hit]:
    """Keys, tokens and private keys by the forms that their makers gave them."""
    for match in _SECRET.finditer(text):
        yield Hit(match.start(), match.end(), "SECRET")


def _check(part: str) -> str:
    """ICAO Doc 9303-3, 4.9."""
    return str(sum(_VALUES[each] * (7, 3, 1)[at % 3] for at, each in enumerate(part)) % 10)
