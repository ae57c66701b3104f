"""The schema as it is served."""

import hashlib
import threading
from dataclasses import dataclass

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer


@dataclass(frozen=True)
class Document:
    body: bytes  # JSON
    etag: str


_document: Document | None = None
_lock = threading.Lock()


def generate() -> bytes:
    """The schema of all endpoints, whoever asks, in English. Takes seconds."""
    with translation.override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiJsonRenderer().render(schema))


def document() -> Document:
    """The schema, generated once in a process: it changes with the code only."""
    global _document
    if _document is None:
        with _lock:
            if _document is None:
                body = generate()
                _document = Document(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    return _document
