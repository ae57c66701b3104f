"""Opens everything that shows a trace, in this process, and says what went wrong."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from benchmarks.fuzz.readers import Place, Reader, of_project, of_span, of_trace, tools
from projects.services import create_api_key
from tests.browser import browser
from tests.cast import Cast
from traces.live.feed import Feed
from traces.mcp.server import TOOLS, _run
from traces.reading.sharing import share_trace
from traces.store.queries.summaries import figures_of


@dataclass
class Shown:
    """The answers by reader; `faults` names those that failed."""

    answers: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def json(self, name: str) -> Any:
        return json.loads(self.answers[name])

    def text(self, name: str) -> str:
        return self.answers[name].decode()


class Everybody:
    """A person, a key and nobody, who read what a project has."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._clients = {"person": browser(raise_request_exception=False)}
        self._clients["person"].force_login(cast.bob)
        secret = create_api_key(project=cast.project, name="reader", scopes=["read"]).secret
        self._clients["key"] = Client(headers={"authorization": f"Bearer {secret}"}, raise_request_exception=False)
        self._clients["nobody"] = browser(raise_request_exception=False)

    def read(
        self,
        trace_id: str,
        *span_ids: str,
        start: datetime | None = None,
        end: datetime | None = None,
        lists: bool = False,
    ) -> Shown:
        """Everything about the trace and its first span, and the panels of the others.

        lists: also lists, exports and sums of `start` to `end`, by default of the day before and after.
        """
        project = self._cast.project
        now = datetime.now(UTC)
        start, end = start or now - timedelta(days=1), end or now + timedelta(days=1)
        token = share_trace(project=project, trace_id=trace_id, days=1, actor=self._cast.alice).token
        shown = Shown()
        place = Place(str(project.pk), trace_id, span_ids[0], _iso(start), _iso(end), token)
        for reader in (*of_trace(place), *of_span(place), *(of_project(place) if lists else ())):
            self._ask(reader, shown, reader.name)
        for name, arguments in tools(place):
            answer = _run(TOOLS[name], project.pk, arguments)
            shown.answers[name] = answer.model_dump_json().encode()
            if answer.is_error:
                shown.faults.append(f"{name}: {answer.content}")
        for number, span_id in enumerate(span_ids[1:], 1):
            for reader in of_span(replace(place, span=span_id)):
                if reader.name in ("span panel", "span JSON"):
                    self._ask(reader, shown, f"{reader.name} {number}")
        return shown

    def hear(self) -> list[dict[str, Any]]:
        """What a feed tells of the traces that came in the last five minutes."""
        feed = Feed(self._cast.project.pk)
        feed._looked_at = 0.0
        return [json.loads(text.encode()) for text in feed._changes(300.0)]

    def _ask(self, reader: Reader, shown: Shown, name: str) -> None:
        client = self._clients[reader.who]
        headers = {"X-Fragment": "1"} if reader.is_fragment else {}
        if reader.body is None:
            answer = client.get(reader.address, headers=headers)
        else:
            answer = client.post(reader.address, reader.body, content_type="application/json")
        try:
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        except Exception as error:
            shown.faults.append(f"{name}: {type(error).__name__}: {error}")
            return
        shown.answers[name] = content
        if answer.status_code not in (200, 302):
            shown.faults.append(f"{name}: {answer.status_code} {reader.address} {content[:300]!r}")


def figures(cast: Cast, trace_id: str) -> Any:
    return figures_of(cast.project.pk, [trace_id])[trace_id]


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
