"""What clients may ask for: an allow-list over the engine's own parse of a query.

The engine runs any statement for anybody: it reads files, starts programs and reaches servers. It also parses:
`formatQuerySingleLine` writes one statement in its canonical form (no comments, no needless quotes), `EXPLAIN AST` says
what it calls, wherever that stands. So there is no second parser that could understand a text differently.

Everything the engine registers as a table function, a table engine or a database engine is a source. Those named here
may be used; the others are refused, those of a newer engine too.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from . import sql
from .errors import ClickHouseError, made
from .queries import literal

_SOURCE = re.compile(
    # table functions
    r"(?:numbers|zeros)(?:_mt)?|primes|generate(?:random|_?series)|(?:sqlstandard)?values|format|null|input|dictionary"
    r"|view(?:ifpermitted|explain)?|merge|mergetree(?:index|projection|textindex|analyzeindexes(?:uuid)?)"
    # table engines
    r"|(?:replacing|summing|aggregating|(?:versioned)?collapsing|coalescing|graphite)?mergetree|(?:tiny|stripe)?log"
    r"|memory|set|join|buffer|materializedview"
    # database engines
    r"|atomic|ordinary"
)
# The engine's other functions compute; these read files or ask other machines.
_FOREIGN_FUNCTION = re.compile(
    r"file|ai(?:classify|embed|extract|filter|generate|redact|similarity|translate)|catboostevaluate|reversednsquery"
    r"|hascolumnintable"
)
_STATEMENT = re.compile(
    r"(?:Select\w*Query|(?:Create|Drop|Truncate|Detach|Attach|Undrop|Optimize|Check|Insert|Delete|Update|Alter|Use"
    r"|CreateIndex|DropIndex|KillQuery|Describe|Backup|Restore|Exists\w+)Query|Rename|Set|Explain|Show\w+|SYSTEM)"
    r"(?= |$)"
)
_SYSTEM = re.compile(
    r"SYSTEM (?:FLUSH (?:LOGS|ASYNC INSERT QUEUE)|(?:CLEAR|DROP) [A-Z ]+ CACHE|(?:STOP|START) (?:TTL )?MERGES"
    r"|(?:STOP|START|REFRESH|WAIT|CANCEL) VIEWS?|RELOAD DICTIONAR(?:Y|IES)|WAIT LOADING PARTS|UNLOAD PRIMARY KEY)\b"
)
# Settings that hold queries, change the language of queries, or name files and servers.
_FOREIGN_SETTING = re.compile(
    r"(?:polyglot_)?dialect|implicit_select|filter|additional_\w+_filters?|parallel_replicas_custom_key"
    r"|cluster_for_parallel_replicas|format_avro_schema_registry_url|format_template_(?:row|resultset)"
    r"|input_format_record_errors_file_path|url_base|ai_\w+|dynamic_disk_\w+"
)
_DATA = "/dev/fd/0"  # stands for the file of a query's data or result, whose number differs each time
_FED = re.compile(rf"(?m)^( +)Function file \(children 1\)\n +ExpressionList \(children \d\)\n +Literal '{_DATA}'$")
_LINE = re.compile(r"(?P<indent> *)(?P<kind>\S+) *(?P<name>.*?)(?: \(alias .*\))?(?: \(children \d+\))?")
_QUOTED_DATA = f"'{_DATA}'".encode()
_END = sql.Token("sign", b"", 0, 0)
_FILES = {(b"INTO", b"OUTFILE"), (b"FROM", b"INFILE")}
_LIST = {b"SETTINGS", b"SETTING", b"SET"}
_REMEMBERED = 4096  # texts

Ask = Callable[[bytes, Mapping[str, str]], str]  # the engine's answer to a query with these parameters


@dataclass(frozen=True, slots=True)
class Node:
    """A line of `EXPLAIN AST`."""

    kind: str
    name: str
    depth: int
    called: str  # the function whose argument it is, else ""


class Permits:
    """Judges queries; those allowed are remembered by their text, for clients ask the same again and again."""

    def __init__(self, ask: Ask, version: str) -> None:
        self._ask = ask
        self._version = version
        registered = ask(
            b"SELECT lower(name) FROM system.table_functions UNION ALL SELECT lower(name) FROM system.table_engines"
            b" UNION ALL SELECT lower(name) FROM system.database_engines",
            {},
        )
        self._foreign = {name for name in registered.split() if not _SOURCE.fullmatch(name)}
        self._allowed: dict[bytes, None] = {}
        self._lock = threading.Lock()

    def check_setting(self, name: str, value: str) -> None:
        """Raises ClickHouseError 452 for a setting that is not a client's to change."""
        name = name.lower()
        by_query = name == "format_schema_source" and value.lower() not in ("string", "file")
        if by_query or _FOREIGN_SETTING.fullmatch(name):
            text = f"Setting {name} should not be changed by clients of this server"
            raise made(452, "SETTING_CONSTRAINT_VIOLATION", text, self._version)

    def check(self, text: bytes, parameters: Mapping[str, str], *, fed: bool = False) -> None:
        """Raises ClickHouseError for what a client may not ask.

        `text` is what will run, with `/dev/fd/0` for the file of its data or result; a query `fed` by `input(…)` reads
        that one with `file(…)`. `parameters` are the values of its placeholders.
        """
        if b"Identifier" in text and any("/" in value for value in parameters.values()):
            self._refuse("a path as a name")
        digest = hashlib.blake2b(text + b"\0fed" * fed, digest_size=16).digest()
        if digest in self._allowed:
            return
        self._judge(text, parameters, fed)
        with self._lock:
            while len(self._allowed) >= _REMEMBERED:
                del self._allowed[next(iter(self._allowed))]
            self._allowed[digest] = None

    def _judge(self, text: bytes, parameters: Mapping[str, str], fed: bool) -> None:
        canonical = self._canonical(text)
        self._check_words(list(sql.tokens(canonical)))
        tree = self._ask(b"EXPLAIN AST " + text, parameters)
        if fed and len(_FED.findall(tree)) == 1:
            tree = _FED.sub(r"\1Function input", tree)
        root = tree.partition("\n")[0]
        words = canonical.decode(errors="replace")
        if _STATEMENT.match(root) is None or (root.startswith("SYSTEM") and _SYSTEM.match(words) is None):
            self._refuse(" ".join(words.split()[:3]))
        if root.startswith("AttachQuery") and re.search(r"\bFROM '", words):
            self._refuse("ATTACH … FROM a folder")
        archive = root.startswith(("BackupQuery", "RestoreQuery"))
        for node in _nodes(tree):
            self._check_node(node, archive)

    def _canonical(self, text: bytes) -> bytes:
        """The one statement of `text`; raises ClickHouseError 62 for anything else."""
        try:
            formatted = self._ask(
                b"SELECT formatQuerySingleLine(" + literal(text.decode("utf-8", "surrogateescape")) + b")", {}
            )
        except ClickHouseError as error:
            raise ClickHouseError(error.code, _SCOPE.sub("", str(error))) from error
        return formatted.removesuffix("\n").encode("utf-8", "surrogateescape")

    def _check_words(self, words: list[sql.Token]) -> None:
        """What the tree leaves out: settings, files of data, and the functions of APPLY."""
        applies = any(token.text == b"APPLY" for token in words)
        lists = False
        for index, (token, after) in enumerate(pairwise([*words, _END])):
            lists = lists or (token.kind == "word" and token.text in _LIST)
            if lists and after.text == b"=" and words[index - 1].text in (*_LIST, b","):
                self._check_written(_plain(token), words[index + 2 : index + 3])
            following = words[index + 2].text if index + 2 < len(words) else b""
            if (token.text, after.text) in _FILES and following != _QUOTED_DATA:
                self._refuse(f"{token.text.decode()} {after.text.decode()}")
            if applies and (after.text == b"(" or token.text == b"APPLY"):
                self._check_function(_plain(after if token.text == b"APPLY" else token))

    def _check_written(self, name: str, value: list[sql.Token]) -> None:
        self.check_setting(name, _plain(value[0]) if value else "")
        if name == "disk" and value and value[0].kind != "string":
            self._refuse("a disk of one's own")

    def _check_node(self, node: Node, archive: bool) -> None:
        name = node.name.lower()
        if node.kind == "FunctionWithKeyValueArguments" and name != "null":
            self._refuse(f"the dictionary source {node.name}")
        if node.kind == "Function":
            if archive:  # the engine keeps these within the folder for backups
                return None if name == "file" else self._refuse(f"a backup in {node.name}")
            self._check_function(name)
        path = "/" in name and (node.kind == "TableIdentifier" or (node.kind == "Identifier" and _names_table(node)))
        return self._refuse("a path as the name of a table") if path else None

    def _check_function(self, name: str) -> None:
        if name in self._foreign or _FOREIGN_FUNCTION.fullmatch(name):
            self._refuse(name)

    def _refuse(self, what: str) -> None:
        text = (
            f"default: Not enough privileges. {what[:100]} is not for clients of this server: files, programs, "
            "other servers and the server itself are not within reach"
        )
        raise made(497, "ACCESS_DENIED", text, self._version)


_SCOPE = re.compile(r":? ?In scope SELECT formatQuerySingleLine\(.*\)(?=\. \(\w+\))", re.DOTALL)


def _nodes(tree: str) -> Iterator[Node]:
    above: list[tuple[str, str]] = []
    for line in tree.split("\n"):
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        depth, kind, name = len(found["indent"]), found["kind"], found["name"]
        del above[depth:]
        called = above[-2][1].lower() if len(above) > 1 and above[-2][0] == "Function" else ""
        yield Node(kind, name, depth, called)
        above.append((kind, name))


def _names_table(node: Node) -> bool:
    return node.depth == 1 or re.fullmatch(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", node.called) is not None


def _plain(token: sql.Token) -> str:
    """A name or string without its quotes, in lower case."""
    text = token.text.decode(errors="replace")
    if token.kind in ("quoted", "string"):
        text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text.lower()
