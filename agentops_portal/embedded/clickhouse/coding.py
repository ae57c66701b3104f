"""Content encodings of requests and responses: gzip, deflate, zstd, lz4, xz and bz2."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import lz4.frame
import zstandard

from .errors import ClickHouseError, made

# Which error an unreadable body is: code and name.
_UNREADABLE = {
    "gzip": (354, "ZLIB_INFLATE_FAILED"),
    "deflate": (354, "ZLIB_INFLATE_FAILED"),
    "zstd": (561, "ZSTD_DECODER_FAILED"),
    "lz4": (618, "LZ4_DECODER_FAILED"),
    "xz": (543, "LZMA_STREAM_DECODER_FAILED"),
    "bz2": (606, "BZIP2_STREAM_DECODER_FAILED"),
}
_DECODERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "deflate": zlib.decompressobj,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "xz": lzma.LZMADecompressor,
    "bz2": bz2.BZ2Decompressor,
}
_FAILURES = (zlib.error, zstandard.ZstdError, lzma.LZMAError, RuntimeError, EOFError, OSError, ValueError)

# The encodings of responses in the order they are preferred: the cheapest first.
_ACCEPTED = ("lz4", "zstd", "gzip", "deflate")


class Decoder:
    """Undoes the Content-Encoding of a request piece by piece."""

    def __init__(self, encoding: str, version: str) -> None:
        self._name = {"x-gzip": "gzip", "identity": ""}.get(encoding, encoding)
        self._version = version
        self._decoder: Any = None
        if self._name and self._name not in _DECODERS:
            known = ", ".join(f"'{name}'" for name in _DECODERS)
            text = f"Unknown compression method '{encoding}'. Only {known} are supported as compression methods"
            raise made(48, "NOT_IMPLEMENTED", text, version)

    def feed(self, data: bytes) -> bytes:
        """The decoded bytes of one more piece; raises ClickHouseError when it can't be read."""
        if not self._name:
            return data
        out = bytearray()
        try:
            while data:
                if self._decoder is None or self._decoder.eof:  # gzip and others may hold several members
                    self._decoder = _DECODERS[self._name]()
                out += self._decoder.decompress(data)
                data = self._decoder.unused_data or b"" if self._decoder.eof else b""
        except _FAILURES as error:
            raise self._unreadable("the request body is not in this format") from error
        return bytes(out)

    def finish(self) -> None:
        """Raises ClickHouseError when the body ended before its encoding did."""
        if self._name and self._decoder is not None and not self._decoder.eof:
            raise self._unreadable("the request body ends too early")

    def _unreadable(self, reason: str) -> ClickHouseError:
        code, name = _UNREADABLE[self._name]
        return made(code, name, f"Content-Encoding {self._name}: {reason}", self._version)


class Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Lz4:
    """lz4's frame compressor in the shape of the others."""

    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        head = b"" if self._begun else self._compressor.begin()
        self._begun = True
        return bytes(head + self._compressor.compress(data))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._compressor.flush())


def chosen(accept_encoding: str) -> str:
    """The encoding of a response to a request with this Accept-Encoding header; empty for none."""
    offered = {
        part.split(";")[0].strip().lower() for part in accept_encoding.split(",") if "q=0" not in part.split(";")[1:]
    }
    return next((name for name in _ACCEPTED if name in offered), "")


def encoder(name: str, level: int) -> Encoder:
    """A compressor; `level` is ClickHouse's `http_zlib_compression_level`."""
    match name:
        case "lz4":
            return _Lz4()
        case "zstd":
            return zstandard.ZstdCompressor(level=max(1, level)).compressobj()
        case "gzip":
            return zlib.compressobj(min(level, 9), wbits=31)
    return zlib.compressobj(min(level, 9))
