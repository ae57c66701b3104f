"""Sends OTLP messages to a receiver as an exporter does: protobuf, gzip, several at a time, again when told to wait."""

import gzip
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PATH = "/v1/traces"
CONNECTIONS = 4
ATTEMPTS = 6
RETRYABLE = (429, 502, 503, 504)  # https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
LONGEST_WAIT = 10.0  # seconds


class SendError(Exception):
    """The receiver did not take a message; `str()` says why and what to do."""


class Sender:
    """Sends to `endpoint`, the receiver's base URL or its full /v1/traces, with an API key of the project."""

    def __init__(self, endpoint: str, key: str) -> None:
        base = endpoint.rstrip("/")
        self._url = base if base.endswith(PATH) else base + PATH
        self._key = key

    def send(self, messages: Sequence[ExportTraceServiceRequest], advance: Callable[[int], None]) -> None:
        """Send all; `advance` hears after each how many spans were taken. Raises SendError at the first refusal."""
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
        }
        # Never through a proxy of the environment: the receiver is this machine's, or one the user named.
        client = httpx.Client(headers=headers, timeout=60, trust_env=False)
        with client, ThreadPoolExecutor(CONNECTIONS) as pool:
            futures = [pool.submit(self._send_one, client, message) for message in messages]
            try:
                for future in futures:
                    advance(future.result())
            except SendError:
                pool.shutdown(cancel_futures=True)
                raise

    def _send_one(self, client: httpx.Client, message: ExportTraceServiceRequest) -> int:
        body = gzip.compress(message.SerializeToString(), 5)
        for attempt in range(ATTEMPTS):
            response = self._post(client, body)
            if response.status_code not in RETRYABLE:
                break
            if attempt < ATTEMPTS - 1:
                time.sleep(_wait(response, attempt))
        if response.status_code != 200:
            raise SendError(f"The receiver at {self._url} answers {response.status_code}: {_reason(response)}")
        rejected = ExportTraceServiceResponse.FromString(response.content).partial_success
        if rejected.rejected_spans:
            raise SendError(f"The receiver rejected {rejected.rejected_spans} spans: {rejected.error_message}")
        return sum(len(group.spans) for resource in message.resource_spans for group in resource.scope_spans)

    def _post(self, client: httpx.Client, body: bytes) -> httpx.Response:
        try:
            return client.post(self._url, content=body)
        except httpx.InvalidURL as error:
            raise SendError(f"{self._url} is not a URL: {error}") from error
        except httpx.TransportError as error:
            raise SendError(
                f"Nothing takes traces at {self._url} ({error}): start the portal with `make up`, "
                "or name its receiver with --endpoint."
            ) from error


def _wait(response: httpx.Response, attempt: int) -> float:
    """Seconds until the next attempt: what the receiver asks for, else 0.5, 1, 2…"""
    asked = response.headers.get("retry-after", "")
    return min(float(asked) if asked.isdigit() else 0.5 * 2**attempt, LONGEST_WAIT)


def _reason(response: httpx.Response) -> str:
    """The receiver's own words: a google.rpc.Status, or plain text from whatever else answers there."""
    if "html" in response.headers.get("content-type", ""):
        return f"{response.reason_phrase}. A web page answers there, no receiver of traces."
    try:
        message = Status.FromString(response.content).message
    except DecodeError:
        message = ""
    return message or response.text[:200].strip() or response.reason_phrase
