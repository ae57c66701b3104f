"""The real LiteLLM proxy, set up with the variables of its users' guide."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.servers import running
from tests.services import free_ports

from .environments import client_environment

CONFIG = Path(__file__).parent / "scripts" / "litellm_config.yaml"
MASTER_KEY = "sk-test-7f3a9c51d2e84b06"  # LiteLLM refuses the well-known sk-1234


class Proxy:
    """Sends requests to a running proxy."""

    def __init__(self, url: str) -> None:
        self._url = url

    def chat(self, model: str, prompt: str, **body: Any) -> httpx.Response:
        return self.post("chat/completions", model=model, messages=[{"role": "user", "content": prompt}], **body)

    def post(self, path: str, key: str = MASTER_KEY, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(f"{self._url}/v1/{path}", json=body, headers=headers, timeout=60, trust_env=False)


def guide_variables(receiver: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What the guide tells to set; `headers` are the variables that carry the portal's key."""
    return {
        "OTEL_EXPORTER": "otlp_http",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver}/v1/traces",
        "OTEL_SERVICE_NAME": "litellm-proxy",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        **headers,
    }


@contextmanager
def litellm_proxy(openai_url: str, variables: Mapping[str, str], folder: Path) -> Iterator[Proxy]:
    """A proxy on a free port, with models of the stand-in for OpenAI; `folder` is its home and takes its log."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FAKE_OPENAI_URL": openai_url,
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches the price list from the Internet
        "LITELLM_TELEMETRY": "False",
        "OTEL_BSP_SCHEDULE_DELAY": "500",  # milliseconds between exports; the default of 5 s only makes tests wait
        "NO_PROXY": "127.0.0.1",
        "PORTAL_URL": "http://127.0.0.1:9",  # of its guardrail, which a request asks for by name
        "PORTAL_KEY": "none",
        **variables,
    }
    program = client_environment("litellm") / "litellm"
    command = [str(program), "--config", str(CONFIG), "--host", "127.0.0.1", "--port", str(port)]
    with running(command, folder / "litellm.log", environment, f"{url}/health/liveliness"):
        yield Proxy(url)
