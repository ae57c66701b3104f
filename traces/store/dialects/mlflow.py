"""MLflow's own export: every attribute is JSON, texts in quotes."""

from .base import Dialect

_TYPES = {
    "chat_model": "llm",
    "llm": "llm",
    "embedding": "embedding",
    "agent": "agent",
    "tool": "tool",
    "retriever": "retriever",
    "reranker": "retriever",
    "chain": "chain",
    "workflow": "workflow",
    "guardrail": "guardrail",
    "task": "task",
    "parser": "task",
    "memory": "task",
    "evaluator": "task",
}

DIALECT = Dialect(
    name="mlflow",
    reference="https://mlflow.org/docs/latest/genai/concepts/span/",
    kinds={"mlflow.spanType": _TYPES | {f'"{word}"': kind for word, kind in _TYPES.items()}},
    values={
        "model": ("mlflow.llm.model",),
        "provider": ("mlflow.llm.provider",),
        "usage": ("mlflow.chat.tokenUsage",),
        "cost_details": ("mlflow.llm.cost",),
    },
)
