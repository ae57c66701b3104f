"""What can be wrong with an OTLP request, with the answer that the OTLP specification asks for.

https://opentelemetry.io/docs/specs/otlp/#failures: 400 is final, 429 and 503 are sent again after `Retry-After`.
"""

from google.rpc import code_pb2


class OtlpError(Exception):
    """str() is a sentence for whoever runs the exporter: what is wrong, and the way out."""

    http_status = 500
    grpc_code = code_pb2.INTERNAL
    reason = "internal"  # in receipts and metrics
    retry_after: int | None = None  # seconds


class BadData(OtlpError):
    reason = "bad_data"
    http_status = 400
    grpc_code = code_pb2.INVALID_ARGUMENT


class Unauthenticated(OtlpError):
    reason = "unauthenticated"
    http_status = 401
    grpc_code = code_pb2.UNAUTHENTICATED


class Forbidden(OtlpError):
    reason = "forbidden"
    http_status = 403
    grpc_code = code_pb2.PERMISSION_DENIED


class NotFound(OtlpError):
    http_status = 404
    grpc_code = code_pb2.NOT_FOUND


class MethodNotAllowed(OtlpError):
    http_status = 405
    grpc_code = code_pb2.UNIMPLEMENTED


class TooLarge(OtlpError):
    reason = "too_large"
    http_status = 413
    grpc_code = code_pb2.INVALID_ARGUMENT


class UnsupportedMediaType(OtlpError):
    reason = "unsupported_media_type"
    http_status = 415
    grpc_code = code_pb2.INVALID_ARGUMENT


class Unavailable(OtlpError):
    """A store is away: nothing was kept, and the exporter should send the same again."""

    reason = "unavailable"
    http_status = 503
    grpc_code = code_pb2.UNAVAILABLE
    retry_after = 5


class Overloaded(Unavailable):
    """The queue of this process is full."""

    reason = "overloaded"
    retry_after = 2


class RateLimited(OtlpError):
    """The project has sent more than it may; `retry_after` says when its share has grown again."""

    reason = "rate_limited"
    http_status = 429
    grpc_code = code_pb2.RESOURCE_EXHAUSTED

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
