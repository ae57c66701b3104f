"""Request bodies as they were before their Content-Encoding, never larger than asked for."""

import zlib

import zstandard

from .errors import BadData, TooLarge, UnsupportedMediaType

ENCODINGS = ("gzip", "deflate", "zstd")
_CHUNK = 1024 * 1024


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its encoding ('' or 'identity', gzip, deflate, zstd).

    Raises TooLarge above `limit` bytes, however small the body was; BadData when it is broken or cut short.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding == "gzip":
        return _inflate_zlib(body, limit, wbits=31)
    if encoding == "deflate":
        # "deflate" is zlib by RFC 9110; some clients send it raw.
        is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflate_zlib(body, limit, wbits=15 if is_zlib else -15)
    if encoding == "zstd":
        return _inflate_zstd(body, limit)
    raise UnsupportedMediaType(
        f"Content-Encoding {encoding[:40]!r} is not supported: send {', '.join(ENCODINGS)} or none."
    )


def _inflate_zlib(body: bytes, limit: int, wbits: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest or not parts:  # a gzip body may have several members
        machine = zlib.decompressobj(wbits)
        while not machine.eof:
            try:
                part = machine.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise BadData(f"The body does not decompress: {error}.") from None
            rest = machine.unconsumed_tail
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
            if not part and not rest and not machine.eof:
                raise BadData("The compressed body is cut short.")
        rest = machine.unused_data
    return b"".join(parts)


def _inflate_zstd(body: bytes, limit: int) -> bytes:
    # The window bounds the memory that a hostile frame header can ask for.
    machine = zstandard.ZstdDecompressor(max_window_size=max(limit, 1 << 10))
    parts: list[bytes] = []
    size = 0
    try:
        with machine.stream_reader(body, read_across_frames=True) as reader:
            while part := reader.read(_CHUNK):
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except zstandard.ZstdError as error:
        raise BadData(f"The body does not decompress: {error}.") from None
    if body and not _ends_whole(body):
        raise BadData("The compressed body is cut short.")
    return b"".join(parts)


def _ends_whole(body: bytes) -> bool:
    """True when the last zstd frame of the body is complete; the stream reader is silent about one that is not."""
    rest = body
    while rest:
        machine = zstandard.ZstdDecompressor().decompressobj()
        try:
            machine.decompress(rest)
        except zstandard.ZstdError:
            return False
        if not machine.eof:
            return False
        rest = machine.unused_data
    return True


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes when decompressed: send smaller batches.")
