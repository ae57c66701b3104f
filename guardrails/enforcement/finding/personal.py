"""What is personal or secret wherever it is from. Each finder checks what its pattern proposes."""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import phonenumbers
from stdnum import iban, luhn

from .hits import Finder, Hit, compiled, continues, words_at

LONGEST_RUN: Final = 80  # characters in which phone numbers are looked for at a time
OVERLAP: Final = 30
MOST_PIECES: Final = 2_000
SHORTEST_GROUP: Final = 4
MOST_GROUPS: Final = 5
_pieces: ContextVar[dict[tuple[str, str], list[tuple[int, int]]] | None] = ContextVar("pieces", default=None)
# Without a limit for the name: RE2 is a hundred times as fast, and a longer name is cut.
_EMAIL = compiled(
    r"(?:[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+|[\p{L}\p{N}._-]*[^\x00-\x7f\s])@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}"
)
LONGEST_NAME: Final = 64
_DIALLED = compiled(r"[+(]?\d[\d().\-/ ]{6,}\d")
_DIGITS = compiled(r"\d+(?:[ \t\r\n.\-–‐]{1,2}\d+)*")
_GROUP = compiled(r"\d+")
_CARD_LENGTHS: Final = (16, 15, 14, 19, 18, 17, 13)  # the usual ones first
_IBAN_START = compiled(r"[A-Za-z]{2}\d{2} ?[A-Za-z0-9]")
_IBAN = compiled(r"[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}")
LONGEST_IBAN: Final = 42  # 34 characters in groups of four
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
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:@/]{1,100}:[^\s@/]{1,200}@",  # an address with a password
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JSON Web Tokens
)
_SECRET = compiled("|".join(_SECRETS))
_VALUES: Final = {str(digit): digit for digit in range(10)} | {chr(65 + n): 10 + n for n in range(26)} | {"<": 0}


def emails(text: str) -> Iterator[Hit]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        start = max(start, text.rindex("@", start, end) - LONGEST_NAME)
        if continues(text, start - 1) or continues(text, end):
            continue
        name = text[start : text.rindex("@", start, end)]
        is_name = not name.startswith(".") and not name.endswith(".") and ".." not in name
        if is_name and not _in_an_address(text, start):
            yield Hit(start, end, "EMAIL")


def _in_an_address(text: str, start: int) -> bool:
    """Whether it is the password of an address, `https://user:password@host`: a secret, and nobody's mail."""
    scheme = text.rfind("://", max(start - 300, 0), start)
    return scheme >= 0 and not any(sign.isspace() or sign == "@" for sign in text[scheme:start])


def phones_of(country: str) -> Finder:
    """Numbers that exist by the plan of their country; without a `+` they are read as dialled in `country`."""

    def phones(text: str) -> Iterator[Hit]:
        for run in _DIALLED.finditer(text):
            first, last = run.span()
            for at in range(first, last, LONGEST_RUN - OVERLAP):
                found = _phones_in(text[at : min(at + LONGEST_RUN, last)], country)
                if found is None:
                    yield Hit(at, last, "PHONE")
                    break
                yield from (Hit(at + start, at + end, "PHONE") for start, end in found)

    return phones


@contextmanager
def phones_bounded() -> Iterator[None]:
    """Within it MOST_PIECES are looked at, each once however often it comes. What looks like numbers beyond is taken
    for them: nobody writes so many, and each costs a millisecond.
    """
    token = _pieces.set({})
    try:
        yield
    finally:
        _pieces.reset(token)


def _phones_in(piece: str, country: str) -> list[tuple[int, int]] | None:
    """None: too many were looked at."""
    known = _pieces.get()
    if known is None:
        known = {}
    elif len(known) >= MOST_PIECES and (piece, country) not in known:
        return None
    if (piece, country) not in known:
        matches = phonenumbers.PhoneNumberMatcher(piece, country)
        known[piece, country] = [(match.start, match.end) for match in matches]
    return known[piece, country]


def cards(text: str) -> Iterator[Hit]:
    """By Luhn's checksum and the first digits that networks issue, among numbers that stand beside one another."""
    for run in _DIGITS.finditer(text):
        if run.end() - run.start() < min(_CARD_LENGTHS):
            continue
        first = run.start()
        groups = [(first + each.start(), first + each.end()) for each in _GROUP.finditer(run.group())]
        at = 0
        while at < len(groups):
            count = _card_of(text, groups[at : at + MOST_GROUPS])
            if count:
                yield Hit(groups[at][0], groups[at + count - 1][1], "CARD")
            at += count or 1


def _card_of(text: str, groups: Sequence[tuple[int, int]]) -> int:
    """Of how many of the groups of digits a card's number consists that begins with the first; 0 when none does.

    Groups are written with four digits or more, but for the last.
    """
    ends: dict[int, int] = {}  # number of digits → number of groups
    digits = ""
    for count, (start, end) in enumerate(groups, 1):
        digits += text[start:end]
        ends[len(digits)] = count
        if end - start < SHORTEST_GROUP or len(digits) > max(_CARD_LENGTHS):
            break
    if not (digits[0] in "3456" or "2221" <= digits[:4] <= "2720") or continues(text, groups[0][0] - 1):
        return 0
    for length in _CARD_LENGTHS:
        count = ends.get(length, 0)
        if count and luhn.is_valid(digits[:length]) and not continues(text, groups[count - 1][1]):
            return count
    return 0


def ibans(text: str) -> Iterator[Hit]:
    """By the form of the country and mod 97. Words may follow one: the longest that is right counts."""
    done = 0
    for begin in _IBAN_START.finditer(text):
        start = begin.start()
        if start < done or continues(text, start - 1):
            continue
        match = _IBAN.match(text[start : start + LONGEST_IBAN])
        parts = match.group().split(" ") if match else []
        for count in range(len(parts), 0, -1):
            number = " ".join(parts[:count])
            if (
                _mod_97(number)
                and not continues(text, start + len(number))
                and iban.is_valid(number, check_country=False)
            ):
                done = start + len(number)
                yield Hit(start, done, "IBAN")
                break


def _mod_97(number: str) -> bool:
    """ISO 13616: what nearly nothing passes that is no IBAN, and quickly."""
    compact = number.replace(" ", "").upper()
    return int("".join(str(int(each, 36)) for each in compact[4:] + compact[:4])) % 97 == 1


def addresses(text: str) -> Iterator[Hit]:
    for start, end, found in _IP(text):
        try:
            ipaddress.ip_address(found)
        except ValueError:
            continue
        is_longer = text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit()  # a version, such as 1.2.3.4.5
        # `::` and its like, and names such as `face::add`, are found in code.
        if len(found) > len("::1") and not is_longer and any(map(str.isdigit, found)):
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
