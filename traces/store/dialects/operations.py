"""What a model was asked to do, in one word, whatever clients call it: the column `operation`.

Chat is any answer in text. Embeddings have a type of span of their own; all else is an LLM span with that operation.
"""

# LiteLLM's functions have twins that begin with `a` or `_a`.
TWINS = ("", "a", "_", "_a")
_NAMES = {
    "chat": (
        *("chat", "generate", "generate_text", "text_generation", "message", "anthropic_messages", "completion"),
        *("text_completion", "completion_with_retries", "responses", "generate_content", "generate_content_stream"),
    ),
    "embedding": ("embed", "embeddings", "embedding"),
    "image": ("image", "images", "generate_image", "image_generation", "image_edit", "image_variation"),
    "video": ("video", "generate_video", "video_generation", "video_edit", "video_remix"),
    "speech": ("speech", "audio", "tts", "text_to_speech", "generate_speech"),
    "transcription": ("transcription", "transcribe", "stt", "speech_to_text", "audio_transcription"),
    "translation": ("translation", "translate", "audio_translation"),
    "rerank": ("rerank", "reranking"),
    "ocr": ("ocr",),
    "moderation": ("moderation", "moderations", "litellm.moderation"),
    "search": ("search",),
    "realtime": ("realtime",),
    "batch": ("create_batch",),
    "passthrough": ("llm_passthrough_route", "pass_through_endpoint"),
}
# What shows in a name, listed or not; one that begins like another stands before it.
_PARTS = {
    "speech_to_text": "transcription",
    "transcri": "transcription",
    "stt": "transcription",
    "translat": "translation",
    "realtime": "realtime",
    "batch": "batch",
    "moderat": "moderation",
    "rerank": "rerank",
    "ocr": "ocr",
    "image": "image",
    "video": "video",
    "speech": "speech",
    "audio": "speech",
    "tts": "speech",
    "passthrough": "passthrough",
    "pass_through": "passthrough",
    "search": "search",
    "embed": "embedding",
}
OPERATIONS = tuple(_NAMES)
# What a client calls an operation → which it is. Before one that only shows in a name stands SHOWN, before a type of
# span that is none KIND: ".tool" for `execute_tool`.
CALLED = {f"{twin}{word}": operation for twin in TWINS for operation, words in _NAMES.items() for word in words}
SHOWN, KIND = "~", "."


# Operation → what it is measured in, names of it in an object of counts (usage.py).
_SECONDS = ("seconds", "seconds|(?:input_)?audio_seconds|duration_seconds|input_seconds|audio_duration|duration")
_SEARCHES = ("searches", "search_units|searches|search_queries|queries")
UNITS = {
    "image": ("images", "images|image_count|output_images|num_images|n_images"),
    "video": ("seconds", "seconds|video_seconds|duration_seconds"),
    "speech": ("characters", "characters|input_characters|characters_count|character_count"),
    "transcription": _SECONDS,
    "translation": _SECONDS,
    "realtime": _SECONDS,
    "ocr": ("pages", "pages|pages_processed|page_count"),
    "rerank": _SEARCHES,
    "search": _SEARCHES,
}


def shown_in(word: str) -> str:
    """SQL: the operation that shows in the SQL `word`, lower case; '' when none does."""
    operations = [f"{SHOWN}{operation}" for operation in _PARTS.values()]
    return f"transform(extract({word}, '{'|'.join(_PARTS)}'), {list(_PARTS)}, {operations}, '')"


def type_of(told: str, otherwise: str) -> str:
    """SQL: the type of a span whose operation the SQL `told` tells, `otherwise` when it tells none."""
    types = {operation: "embedding" if operation == "embedding" else "llm" for operation in OPERATIONS}
    types |= {f"{KIND}{kind}": kind for kind in ("tool", "agent", "task", "workflow", "retriever", "other")}
    return f"transform({told}, {list(types)}, {list(types.values())}, {otherwise})"


def operation_of(told: str) -> str:
    """SQL: the operation of a call, chat when the SQL `told` tells none."""
    return f"if({told} = '' OR startsWith({told}, '{KIND}'), 'chat', replaceOne({told}, '{SHOWN}', ''))"
