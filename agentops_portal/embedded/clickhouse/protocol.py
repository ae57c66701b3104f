"""HTTP/1.1 of uvicorn, and kindness to request lines with blanks in them.

`curl "http://localhost:8124/?query=SELECT 1"` sends the blanks as they are with older curls; the parser refuses them.
"""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_REQUEST_LINE = re.compile(rb"^(GET|HEAD|POST|PUT|OPTIONS) ([^\r\n]* [^\r\n]*) (HTTP/1\.[01]\r?\n)")


class Protocol(HttpToolsProtocol):
    def data_received(self, data: bytes) -> None:
        begins = self.cycle is None or self.cycle.response_complete
        if begins:
            data = _REQUEST_LINE.sub(_encoded, data, count=1)
        super().data_received(data)


def _encoded(match: "re.Match[bytes]") -> bytes:
    method, target, version = match.groups()
    return b"%s %s %s" % (method, target.replace(b" ", b"%20"), version)


__all__: list[Any] = ["Protocol"]
