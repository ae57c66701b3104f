"""How an address names a session or user: their ids are strangers' text, of any length, with any letter.

8 hex digits of the id's CRC-32 and 24 of its SHA-256. Nobody's id stands in a log of addresses, and ClickHouse, which
has no index of ids, works the long digest out for hardly more than the one it looks for.
"""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select

from .scopes import scope_of, whole_time
from .summaries import IN_DAYS, TABLE

PersonKind = Literal["session", "user"]
CHECKED, DIGEST = 8, 24


def person_key(id_: str) -> str:
    text = id_.encode()
    return f"{zlib.crc32(text):08x}{hashlib.sha256(text).hexdigest()[:DIGEST]}"


def digest_sql(id_: str) -> str:
    """The part of a key that tells ids apart, of an SQL expression."""
    return f"substring(lower(hex(SHA256({id_}))), 1, {DIGEST})"


@dataclass(frozen=True)
class Found:
    """The id, and a range that all its traces reach into."""

    id: str
    scope: Scope


def person_by_key(project_id: UUID, kind: PersonKind, key: str) -> Found | None:
    """Whose key it is, whenever they were there; None when no trace of the project names them."""
    rows = select(
        f"""
        SELECT {kind}.id AS id, toUnixTimestamp64Nano(min(started)) AS start_ns,
            toUnixTimestamp64Nano(max(ended)) AS end_ns
        FROM {TABLE}
        PREWHERE CRC32({kind}.id) = {{checked:UInt32}}
        WHERE {IN_DAYS} AND NOT {kind}.is_blank AND {digest_sql(f"{kind}.id")} = {{digest:String}}
        GROUP BY id
        LIMIT 1
        """,
        name=f"person_keys.{kind}",
        scope=whole_time(project_id),
        parameters={"checked": int(key[:CHECKED], 16), "digest": key[CHECKED:]},
    )
    return Found(rows[0]["id"], scope_of(project_id, rows[0]["start_ns"], rows[0]["end_ns"])) if rows else None
