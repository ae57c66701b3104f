"""All models of the app; each lives in the room that it belongs to."""

from .ingest.agents import Agent as Agent
from .ingest.agents import AgentRun as AgentRun
from .ingest.receipts.models import IngestReceipt as IngestReceipt
from .ingest.uploads import Upload as Upload
from .lifecycle.erasure.records import Erasure as Erasure
from .lifecycle.retention.records import RetentionRun as RetentionRun
from .reading.sharing import ShareLink as ShareLink
from .store.calls.records import SameCalls as SameCalls
from .store.models import GuardrailRun as GuardrailRun
from .store.models import InboxRequest as InboxRequest
from .store.models import Span as Span
from .store.models import SpanVerdict as SpanVerdict
from .store.models import Trace as Trace
from .store.models import UnreadableRequest as UnreadableRequest
from .store.models import UsageQuarter as UsageQuarter
from .store.prices.models import ModelPrice as ModelPrice
