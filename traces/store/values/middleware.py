"""What one request may cost."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .budget import limited


class DecodingMiddleware:
    """One budget of decoding for all that a request shows. A file that is streamed is read beyond it, row by row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with limited():
            return self.get_response(request)
