"""`make fuzz`, short: one trace of nasty spans, which everybody reads, over a real web process."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.fuzz.bodies import Bodies
from benchmarks.fuzz.run import Fuzz, Target
from projects.services import create_api_key
from tests.browser import browser
from tests.cast import make_cast

from .servers import WEB, granian

BODIES = 20

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.slow,
    pytest.mark.usefixtures("own_store"),  # for spans of any month
]


def test_everybody_reads_what_nobody_should_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "true")  # static files by their own names: nothing has collected them
    cast, person = make_cast(), browser()
    person.force_login(cast.bob)
    session = {name: morsel.value for name, morsel in person.cookies.items()}
    key = create_api_key(project=cast.project, name="fuzz").secret
    log = tmp_path / "web.log"
    with granian(WEB, log) as web:
        target = Target(web=web, receiver=web, project=str(cast.project.pk), key=key, session=session)

        fuzz = Fuzz(target, seed=8, folder=tmp_path, bodies_a_trace=BODIES)
        found = asyncio.run(fuzz.run(packs=1, quiet_seconds=0.5))

    # How long it takes is for `make fuzz` to say, on a machine that does nothing else.
    assert [fault for fault in found.faults if " s /" not in fault] == [], log.read_text(errors="replace")[-6000:]
    assert sum(found.sent.values()) == BODIES
    assert found.requests["span panel"] == found.sent[200] > BODIES // 2
    assert found.requests["mcp get_span"] > BODIES // 2
    assert {"trace page", "monitoring replay", "v4 detail", "export csv", "shared span"} <= set(found.requests)
    assert "Traceback" not in log.read_text(errors="replace")


def test_a_seed_gives_the_same_bodies() -> None:
    def made(seed: int) -> list[bytes]:
        bodies = Bodies(seed)
        return [bodies.body(1, 10**18).content for _ in range(5)]

    assert made(3) == made(3) != made(4)
