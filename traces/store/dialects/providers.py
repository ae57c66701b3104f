"""Who serves a model, by the names of the OpenTelemetry registry, whatever clients call it.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ (`gen_ai.provider.name`)
"""

from collections.abc import Iterable

from .base import Source, first_of

# Name in the registry → what else clients write, in lower case.
_SPELLINGS = {
    "openai": ("text-completion-openai", "api.openai.com", "custom_openai"),
    "anthropic": ("claude", "api.anthropic.com"),
    "aws.bedrock": (
        "bedrock",
        "aws_bedrock",
        "amazon-bedrock",
        "amazon_bedrock",
        "aws",
        "bedrock_converse",
        "converse",
    ),
    "azure.ai.openai": ("azure", "azure-openai", "azure_openai", "azureopenai", "azure_text", "az.ai.openai"),
    "azure.ai.inference": ("azure_ai", "azure-ai", "az.ai.inference"),
    "gcp.gemini": (
        *("gemini", "google", "google_genai", "google-genai", "googlegenai", "google-gla", "google_ai_studio"),
        *("googleai", "gcp.gen_ai", "google_generative_ai"),
    ),
    "gcp.vertex_ai": (
        *("vertex_ai", "vertexai", "vertex_ai_beta", "google-vertex", "google_vertexai", "google.vertex", "vertex"),
    ),
    "cohere": ("cohere_chat",),
    "deepseek": ("api.deepseek.com",),
    "groq": ("api.groq.com",),
    "ibm.watsonx.ai": ("watsonx", "watsonx_text", "ibm", "watsonx.ai"),
    "mistral_ai": ("mistral", "mistralai", "mistral-ai"),
    "moonshot_ai": ("moonshot", "moonshotai"),
    "x_ai": ("xai", "x-ai", "grok", "x.ai"),
    "together_ai": ("together", "togetherai", "together.ai"),
    "fireworks_ai": ("fireworks",),
    "ollama": ("ollama_chat",),
    # Frameworks and proxies name themselves where the provider belongs.
    "": (
        *("_other", "agentops", "agno", "autogen", "autogen-core", "crewai", "dspy", "gcp.vertex.agent", "google_adk"),
        *("haystack", "langchain", "langchain4j", "langgraph", "litellm", "litellm_proxy", "livekit", "llama_index"),
        *("llamaindex", "mastra", "microsoft.agent_framework", "nemo_guardrails", "none", "openai_agents"),
        *("pydantic_ai", "semantic_kernel", "smolagents", "spring_ai", "strands-agents", "unknown", "vercel"),
    ),
}
# What the Vercel AI SDK says after the provider: openai.chat, openai.responses, google.generative-ai.
_KIND = (
    "[.](chat|responses|completion|completions|messages|embedding|embeddings|textembedding|image|speech|transcription|"
    'video|reranking|generative-ai)"?$'
)
# Prefixes of LiteLLM and of routers: provider/model.
PREFIXES = (
    *("ai21", "ai21_chat", "aiml", "anthropic", "anyscale", "azure", "azure_ai", "azure_text", "baseten", "bedrock"),
    *("bedrock_converse", "cerebras", "clarifai", "cloudflare", "codestral", "cohere", "cohere_chat", "converse"),
    *("custom_openai", "dashscope", "databricks", "deepgram", "deepinfra", "deepseek", "elevenlabs", "featherless_ai"),
    *("fireworks_ai", "friendliai", "galadriel", "gemini", "github", "github_copilot", "google", "google_genai"),
    *(
        "google_vertexai",
        "groq",
        "hosted_vllm",
        "huggingface",
        "hyperbolic",
        "infinity",
        "invoke",
        "jina_ai",
        "lambda_ai",
    ),
    *("litellm_proxy", "llamafile", "lm_studio", "meta_llama", "minimax", "mistral", "mistralai", "models", "moonshot"),
    *(
        "moonshotai",
        "nebius",
        "novita",
        "nscale",
        "nvidia_nim",
        "oci",
        "ollama",
        "ollama_chat",
        "openai",
        "openai_like",
    ),
    *("openrouter", "ovhcloud", "perplexity", "predibase", "replicate", "sagemaker", "sagemaker_chat", "sambanova"),
    *(
        "snowflake",
        "text-completion-openai",
        "together_ai",
        "triton",
        "vercel_ai_gateway",
        "vertex_ai",
        "vertex_ai_beta",
    ),
    *("vllm", "volcengine", "voyage", "watsonx", "watsonx_text", "x-ai", "xai", "xinference", "zai"),
)
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}


def provider_of(said: Iterable[Source], models: Iterable[Source]) -> str:
    """SQL: the provider that one of the sources says, else the one before the slash of a model; '' when it is a
    framework or nobody says it.
    """
    model = first_of(models)
    # Few names are many rows: each is looked at once.
    prefix = f"extract({model}, '^({'|'.join(PREFIXES)})/')"
    name = f"replaceRegexpAll(lower(toLowCardinality({first_of([*said, f'({prefix})'])})), '{_KIND}|\"', '')"
    spelled = ", ".join(f"'{each}'" for each in _NAMES)
    names = ", ".join(f"'{each}'" for each in _NAMES.values())
    return f"transform({name}, [{spelled}], [{names}])"
