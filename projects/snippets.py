"""What to paste where, so that a client sends its traces to a project."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Snippet:
    """One block to copy. `text` holds the secret: show it only where the secret may be shown."""

    name: str  # the id of its element
    title: str | Promise
    text: str


def receiver_url() -> str:
    """Where clients send OTLP, without /v1/traces: the receiver's own port, or PORTAL_URL behind a TLS proxy."""
    portal = urlsplit(settings.PORTAL_URL)
    if portal.scheme == "https" or portal.hostname is None:
        return str(settings.PORTAL_URL)
    host = f"[{portal.hostname}]" if ":" in portal.hostname else portal.hostname
    return f"http://{host}:{settings.OTLP_HTTP_PORT}"


def mcp_snippet(secret: str) -> Snippet:
    """For a coding agent that is to ask about the project's runs (docs/mcp.md); the key needs the scope read."""
    text = f"""claude mcp add --transport http agentops {settings.PORTAL_URL}/mcp \\
  --header "Authorization: Bearer {secret}"

# Cursor: .cursor/mcp.json
{{"mcpServers": {{"agentops": {{
  "url": "{settings.PORTAL_URL}/mcp", "headers": {{"Authorization": "Bearer {secret}"}}
}}}}}}

# VS Code: .vscode/mcp.json
{{"servers": {{"agentops": {{
  "type": "http", "url": "{settings.PORTAL_URL}/mcp", "headers": {{"Authorization": "Bearer {secret}"}}
}}}}}}"""
    return Snippet("mcp", _("Coding agents (MCP)"), text)


# The SDK reads what OpenTelemetry 1.45 no longer has, and then exports nothing (docs/agentops.md).
SDK_INSTALL = "pip install agentops 'opentelemetry-sdk<1.45' 'opentelemetry-exporter-otlp-proto-http<1.45'"


def snippets(secret: str) -> list[Snippet]:
    """For the agentops SDK, for LiteLLM and other OpenTelemetry exporters, and a check with curl.

    The header is x-api-key because its value has no blank: exporters disagree on how to write one.
    """
    return [
        Snippet(
            "agentops",
            _("agentops SDK"),
            f"{SDK_INSTALL}\n"
            f"export AGENTOPS_API_KEY={secret}\n"
            f"export AGENTOPS_API_ENDPOINT={settings.PORTAL_URL}\n"
            f"export AGENTOPS_APP_URL={settings.PORTAL_URL}\n"
            f"export AGENTOPS_EXPORTER_ENDPOINT={receiver_url()}/v1/traces\n"
            # Until the SDK has its token, which a short script does not wait for (docs/agentops.md).
            f'export OTEL_EXPORTER_OTLP_TRACES_HEADERS="x-api-key={secret}"',
        ),
        Snippet(
            "litellm",
            _("LiteLLM proxy"),
            'export OTEL_EXPORTER=otlp_http  # and in config.yaml: litellm_settings: {callbacks: ["otel"]}\n'
            f"export OTEL_EXPORTER_OTLP_ENDPOINT={receiver_url()}\n"
            f'export OTEL_EXPORTER_OTLP_HEADERS="x-api-key={secret}"',
        ),
        Snippet(
            "otlp",
            _("Any OpenTelemetry exporter"),
            f"export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
            f"export OTEL_EXPORTER_OTLP_ENDPOINT={receiver_url()}\n"
            f'export OTEL_EXPORTER_OTLP_HEADERS="x-api-key={secret}"',
        ),
        Snippet(
            "check",
            _("Check it"),
            f"curl -s {settings.PORTAL_URL}/v3/auth/token -H 'Content-Type: application/json' "
            f'-d \'{{"api_key": "{secret}"}}\'',
        ),
    ]
