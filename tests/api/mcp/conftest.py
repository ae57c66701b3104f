"""A real web process, and a real MCP client that asks it with a key of Alice's project."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ListToolsResult

from projects.services import create_api_key
from tests.cast import Cast, make_cast
from tests.servers import WEB, granian


@pytest.fixture(scope="session")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of the web process."""
    with granian(WEB, tmp_path_factory.mktemp("mcp") / "web.log") as url:
        yield url


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()  # committed, for the process to see


@dataclass
class Agent:
    """A coding agent: each call is a session of its own."""

    url: str
    key: str
    mode: str = "auto"

    def call(self, tool: str, /, **arguments: Any) -> CallToolResult:
        return self.session(lambda client: client.call_tool(tool, arguments))

    def ask(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The structured content, which the client has checked against the tool's schema."""
        answer = self.call(tool, **arguments)
        assert not answer.is_error, answer.content
        assert answer.structured_content is not None
        return dict(answer.structured_content)

    def text(self, tool: str, /, **arguments: Any) -> str:
        """What a reader gets: the same in short, or what was wrong."""
        [content] = self.call(tool, **arguments).content
        assert content.type == "text"
        return content.text

    def tools(self) -> ListToolsResult:
        return self.session(lambda client: client.list_tools())

    def session(self, use: Callable[[Client], Any]) -> Any:
        async def run() -> Any:
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as http:
                transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
                async with Client(transport, mode=self.mode) as client:
                    return await use(client)

        return asyncio.run(run())


@pytest.fixture
def key(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="coding agent", scopes=["read"]).secret


@pytest.fixture
def agent(web: str, key: str) -> Agent:
    return Agent(web, key)
