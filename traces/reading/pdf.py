"""PDF files out of HTML that the portal made: with fonts of its own, and nothing is fetched from anywhere."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

_FONTS = settings.BASE_DIR / "node_modules/@fontsource/nanum-gothic/files"
WEIGHTS = (400, 700)


class PdfUnavailable(Exception):
    """The libraries that draw a PDF are not on this machine; str() says how to get them."""


def check_printer() -> None:
    """Raises PdfUnavailable, before anything is asked of the stores."""
    _printer()


def pdf_of(html: str, **options: Any) -> bytes:
    """`options` as WeasyPrint's `write_pdf` takes them. Raises PdfUnavailable."""
    pdf: bytes = _printer().HTML(string=html, url_fetcher=_fonts_only()).write_pdf(**options)
    return pdf


def font_files() -> dict[int, str]:
    """Weight → address of a font, the only ones that a file may name."""
    return {weight: _font(weight).as_uri() for weight in WEIGHTS}


def _font(weight: int) -> Path:
    """A file of our own with Hangul and Latin letters, for a server may have no font that knows Korean. Not the WOFF2,
    which takes seconds to unpack.
    """
    return Path(_FONTS / f"nanum-gothic-korean-{weight}-normal.woff")


def _printer() -> Any:
    """WeasyPrint, whose import fails where Pango is missing: https://doc.courtbouillon.org/weasyprint/stable/"""
    try:
        import weasyprint
    except OSError as error:
        raise PdfUnavailable(
            "This portal cannot draw PDF files, for the library Pango is not installed where it runs (Debian, Ubuntu: "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). CSV and JSON work without it."
        ) from error
    return weasyprint


@cache
def _fonts_only() -> Any:
    """Opens the two fonts and nothing else: names of traces are anybody's text."""
    from weasyprint.urls import URLFetcher

    allowed = set(font_files().values())

    class FontFetcher(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if url not in allowed:
                raise ValueError(f"A report opens no address: {url}")
            return super().fetch(url, headers)

    return FontFetcher()
