"""Serves the files that pages use out of node_modules: an explicit list, nothing from a CDN, nothing copied in.

To use one more file: add its package to package.json (`npm install --save-exact --omit-lockfile-registry-resolved`),
name the file in FILES and refer to it as `{% static "vendor/…" %}`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

NODE_MODULES: Path = settings.BASE_DIR / "node_modules"

# Name below /static/ → file below node_modules. The source maps are here because the manifest storage follows the
# reference in the last line of a minified file and stops when its target is missing.
FILES = {
    "vendor/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/tabler.min.js.map": "@tabler/core/dist/js/tabler.min.js.map",
    "vendor/echarts.common.min.js": "echarts/dist/echarts.common.min.js",
    "vendor/inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
}


class NodeModulesStorage(FileSystemStorage):
    """The files of FILES under the names they are served by."""

    def path(self, name: str) -> str:
        return str(NODE_MODULES / FILES[name])


class NodeModulesFinder(BaseFinder):
    """Finds exactly the files of FILES, so that no other file of a package can be fetched."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        missing = [source for source in FILES.values() if not (NODE_MODULES / source).is_file()]
        if not missing:
            return []
        return [
            Error(
                f"The front-end packages are not installed: node_modules/{missing[0]} is missing"
                + (f" and {len(missing) - 1} more files." if len(missing) > 1 else "."),
                hint="Run `make setup`, or `npm ci` in the project's folder.",
                id="portal.E010",
            )
        ]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = FILES.get(path)
        file = NODE_MODULES / source if source else None
        if file is None or not file.is_file():
            return []
        return [str(file)] if find_all else str(file)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, NodeModulesStorage]]:
        storage = NodeModulesStorage(location=NODE_MODULES)
        for name in FILES:
            if not matches_patterns(name, list(ignore_patterns or [])):
                yield name, storage


class GzippedManifestStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage without brotli, which takes ten times as long at the first start for 15 % fewer bytes."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(use_brotli=False, **kwargs)
