"""A stand-in for OpenAI on 127.0.0.1: it answers like the API, counts tokens the same each time, fails on request.

The model named in the request decides: `err-429` and `err-500` fail with that status, `call-a-tool` answers with a
tool call, every other answers with one sentence. A real provider would need the Internet and a paid key.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "서울은 대한민국의 수도입니다. Seoul is the capital of Korea."
USAGE = {
    "prompt_tokens": 42,
    "completion_tokens": 17,
    "total_tokens": 59,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
RECEIVED: deque[dict[str, Any]] = deque(maxlen=100)  # the newest bodies
EMBEDDING_USAGE = {"prompt_tokens": 6, "total_tokens": 6}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        RECEIVED.append(body)
        model = body["model"]
        if model.startswith("err-"):
            status = int(model.removeprefix("err-"))
            self._send(status, {"error": {"message": f"Refused with {status}", "type": "fake", "code": str(status)}})
        elif self.path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
            self._send(200, {"object": "list", "data": [vector], "model": model, "usage": EMBEDDING_USAGE})
        elif body.get("stream"):
            self._stream(model)
        else:
            self._send(200, _completion(model))

    def _send(self, status: int, document: dict[str, Any]) -> None:
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in _chunks(model):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests read what the clients exported."""


def _completion(model: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER}
    finish_reason = "stop"
    if model == "call-a-tool":
        call = {"name": "get_weather", "arguments": '{"city": "Seoul"}'}
        message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        finish_reason = "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return _envelope(model, "chat.completion") | {"choices": [choice], "usage": USAGE}


def _chunks(model: str) -> Iterator[dict[str, Any]]:
    envelope = _envelope(model, "chat.completion.chunk")
    for word in ANSWER.split(" "):
        delta = {"role": "assistant", "content": f"{word} "}
        yield envelope | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield envelope | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield envelope | {"choices": [], "usage": USAGE}


def _envelope(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 1_790_000_000, "model": model}


@contextmanager
def fake_openai() -> Iterator[str]:
    """Serve on a free port of 127.0.0.1; gives the base URL that an OpenAI client takes, `http://…/v1`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
