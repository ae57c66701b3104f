"""The models of the sample traffic: what they cost, how fast they answer, how LiteLLM names them."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .otlp import SECOND

MILLION = 1_000_000


@dataclass(frozen=True)
class Model:
    """Prices are US dollars per million tokens; None: LiteLLM has no price and reports a cost of 0.0."""

    alias: str  # what applications ask the proxy for
    name: str  # what the proxy asks the provider for
    provider: str  # LiteLLM's name of the provider
    input_price: str | None
    output_price: str | None
    cached_price: str | None = None
    first_token: float = 0.5  # seconds
    tokens_per_second: float = 80.0
    api_base: str = "https://api.openai.com/v1"

    def cost(self, usage: "Usage") -> "Cost":
        if self.input_price is None or self.output_price is None:
            return Cost(Decimal(0), Decimal(0), Decimal(0))
        cached = Decimal(self.cached_price or self.input_price) * usage.cached
        fresh = Decimal(self.input_price) * (usage.input - usage.cached)
        answer = Decimal(self.output_price) * usage.output
        return Cost((cached + fresh) / MILLION, answer / MILLION, cached / MILLION)

    def latency(self, usage: "Usage", chance: Random) -> int:
        """Nanoseconds until the last token, spread as real answers are: a long tail to the slow side."""
        seconds = self.first_token + usage.input / 20_000 + usage.output / self.tokens_per_second
        return int(seconds * chance.lognormvariate(0, 0.35) * SECOND)


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; `cached` is the part of `input` and `reasoning` the part of `output` that the name says."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True)
class Cost:
    """US dollars; `cached` is the part of `input` for tokens read from the provider's cache."""

    input: Decimal
    output: Decimal
    cached: Decimal

    @property
    def total(self) -> Decimal:
        return self.input + self.output


ANTHROPIC = "https://api.anthropic.com/v1/messages"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
OWN_SERVER = "http://vllm.internal:8000/v1"

GPT_4O_MINI = Model("gpt-4o-mini", "gpt-4o-mini", "openai", "0.15", "0.60", "0.075", 0.45, 95)
GPT_4_1 = Model("gpt-4.1", "gpt-4.1", "openai", "2.00", "8.00", "0.50", 0.6, 75)
CLAUDE_SONNET = Model(
    "claude-sonnet", "claude-sonnet-4-5", "anthropic", "3.00", "15.00", "0.30", 1.1, 62, api_base=ANTHROPIC
)
GEMINI_FLASH = Model("gemini-flash", "gemini-2.5-flash", "gemini", "0.30", "2.50", "0.075", 0.4, 150, api_base=GOOGLE)
QWEN = Model("qwen-235b", "qwen/qwen3-235b-a22b-2507", "openai", None, None, None, 0.8, 45, api_base=OWN_SERVER)
EMBEDDING = Model("text-embedding-3-small", "text-embedding-3-small", "openai", "0.02", "0", None, 0.09, 1_000)

MODELS = {model.alias: model for model in (GPT_4O_MINI, GPT_4_1, CLAUDE_SONNET, GEMINI_FLASH, QWEN, EMBEDDING)}


def estimate_tokens(text: str) -> int:
    """Roughly what a tokenizer would count: a Hangul syllable is about 0.7 tokens, four Latin letters are one."""
    hangul = sum("가" <= letter <= "힣" for letter in text)
    return max(1, round(hangul * 0.7 + (len(text) - hangul) * 0.26))
