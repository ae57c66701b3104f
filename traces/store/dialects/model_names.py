"""One model, one name: gpt-4o-mini is openai/gpt-4o-mini is azure/gpt-4o-mini."""

from .providers import PREFIXES

# Quotes of MLflow; Bedrock: us.anthropic.claude-…; Google: models/…, publishers/google/models/…; Fireworks: accounts/….
_BEFORE = (
    f'"$|^"?(?:(?:{"|".join(PREFIXES)})/|publishers/[a-z0-9-]+/models/|accounts/[a-z0-9-]+/models/|'
    "(?:us|eu|apac|global|jp|au|us-gov)[.]|anthropic[.])*"
)
_DATE = "20[0-9]{2}(?:-[01][0-9]-[0-3][0-9]|[01][0-9][0-3][0-9])"
# -2024-07-18, -20250929, @20240620, -20250929-v1:0, -v1:0 of Bedrock
_VERSION = f"[-@](?:{_DATE}(?:-v[0-9]+(?::[0-9]+)?)?|v[0-9]+:[0-9]+)$"


def model_of(said: str) -> str:
    """SQL: the model without the provider that serves it. An organization that made it (qwen/qwen3-…) stays."""
    return f"replaceRegexpAll(toLowCardinality({said}), '{_BEFORE}', '')"


def undated(model: str) -> str:
    """SQL: the model without the date of its version, by which it is counted."""
    return f"replaceRegexpOne({model}, '{_VERSION}', '')"
