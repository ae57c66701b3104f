"""Reads settings from the environment, from `.env` and, for secrets, from the file that `NAME_FILE` names.

Every helper takes the variable's name and a default, and raises `ImproperlyConfigured` with that name and the
way out when the value does not fit: a portal that starts with a wrong setting is worse than one that does not start.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from .permissions import refusal

BASE_DIR = Path(__file__).resolve().parent.parent

T = TypeVar("T")

_env = environ.FileAwareEnv()


def load_dotenv(path: Path) -> None:
    """Take the settings of `path`; a variable that is set in the real environment wins.

    Raises ImproperlyConfigured when the file is there and cannot be read: none of its settings would count.
    """
    if not path.is_file():
        return
    try:
        path.open("rb").close()
    except OSError as error:
        raise ImproperlyConfigured(refusal(path, error)) from error
    environ.Env.read_env(path)


def forget(prefix: str) -> None:
    """Remove the variables whose names begin with `prefix` from this process's environment."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]


def text(name: str, default: str = "") -> str:
    """The variable as it stands; blank means unset."""
    try:
        value = str(_env.str(name, default=""))
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE={os.environ.get(f'{name}_FILE')}: {error.strerror}.") from error
    return value.strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no: write 1 or 0.")


def integer(name: str, default: int, minimum: int = 0, maximum: int = 2**31) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={number} is out of range: {minimum} to {maximum}.")
    return number


def port(name: str, default: int) -> int:
    return integer(name, default, minimum=1, maximum=65535)


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """A comma-separated list, blanks around each entry removed."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def choice(name: str, options: Sequence[str], default: str) -> str:
    value = text(name, default)
    if value not in options:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(options)}.")
    return value


def url(name: str, schemes: Sequence[str], default: str = "") -> SplitResult | None:
    """The variable as a split URL, or None when it is unset.

    Raises ImproperlyConfigured without showing the value, for a URL may hold a password.
    """
    value = text(name, default)
    if not value:
        return None
    try:
        parts = urlsplit(value)
        fits = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise ImproperlyConfigured(f"{name} is not a URL of the form {schemes[0]}://user:password@host:port/name.")
    return parts


def path(name: str, default: Path) -> Path:
    """A folder or file; a relative one is taken from the project's folder, not from where the command was typed."""
    return (BASE_DIR / Path(text(name, str(default))).expanduser()).resolve()


def generated_secret(folder: Path, name: str) -> str:
    """A secret of 50 URL-safe characters that is made once and kept in `folder/name`, readable by its owner only.

    Two processes that start together get the same one: the file appears whole or not at all.
    """
    file = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(37)[:50])
            try:
                os.link(draft, file)
            except FileExistsError:
                pass  # another process was first; its secret counts
            finally:
                draft.unlink()
        return file.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(refusal(file, error, folder.parent)) from error
