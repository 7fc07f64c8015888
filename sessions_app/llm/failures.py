"""What a provider's failure means: whether to try again, and the sentence for the user."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sessions_app.llm.errors import ProviderError
from sessions_app.llm.wire.errors import PageAnswerError, RedirectedError, UnreadableAnswerError

logger = logging.getLogger(__name__)

RETRYABLE = {408, 409, 425, 429}

TOO_LONG = "This chat is too long for the model. Start a new chat, and shorten your message if it is very long."
_TOO_LONG_WORDS = re.compile(
    r"context[ _-]?(?:length|size|window)|(?:maximum|max|available|exceeds?|exceeded) context"
    r"|context the overflows|n_ctx|longer than the (?:model's|maximum)|maximum (?:prompt|model) length"
    r"|(?:prompt|input|request|conversation)(?: \([^)]*\))? (?:is |was )?too (?:long|large)|too many (?:input )?tokens"
    r"|exceeds? the maximum (?:number of tokens|allowed|input)|exceeded model token limit|input tokens exceed"
    r"|input token count|too large for model with|must be <= \d+|reduce the length|entity too large|request_too_large"
    r"|prompt exceeds|prompt contains \d+ tokens",
    re.IGNORECASE,
)
"""How servers say that a conversation does not fit: OpenAI, Anthropic, Google, Mistral, xAI, llama.cpp, LM Studio,
Ollama, vLLM, SGLang, text-generation-inference, and gateways before them, each in words of its own."""
_WINDOW_WORDS = re.compile(
    r"(?:context[ _-]?(?:length|size|window)|(?:maximum|max|model)[a-z' ]* (?:length|tokens)(?: allowed)?|n_ctx)"
    r"[\"']?(?: is| of| limit of|:| =|=)? ?\(?(?:only )?(\d{2,9})\b"
    r"|> (\d{2,9}) maximum|tokens? (?:allowed )?\((\d{2,9})\)|must be <= (\d{2,9})",
    re.IGNORECASE,
)
"""Where a refusal for length names the window: OpenAI, vLLM, llama.cpp (in words and as `n_ctx`), Anthropic, Google."""
_RATE_WORDS = re.compile(r"per (?:minute|hour|day)|rate.?limit|quota|\b[TR]P[MD]\b", re.IGNORECASE)
"""Limits that have nothing to do with the conversation, although they count tokens."""
_TOO_LONG_STATUSES = {400, 413, 422, 500}


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified failure; `retry_after` is in seconds, if the provider named a time.

    `dropped`: the connection was closed before a word of an answer. A kept one may be, just as the next request goes
    out over it (llama.cpp does so at times): no sign of trouble, and the next one is new.
    """

    error: ProviderError
    retryable: bool
    retry_after: float | None = None
    dropped: bool = False


def classify(model: str, error: Exception) -> Failure:
    """What an error raised by a request to `model` means."""
    import httpx2
    from pydantic_ai import exceptions

    for cause in _causes(error):
        if isinstance(cause, UnreadableAnswerError):
            return Failure(ProviderError("provider", _unreadable_sentence(cause)), retryable=False)
    if _is_too_long(error):
        return Failure(ProviderError("context", TOO_LONG, window=_window_of(error)), retryable=False)
    if isinstance(error, exceptions.ModelHTTPError):
        status = error.status_code
        retryable = status in RETRYABLE or status >= 500
        if isinstance(error, exceptions.ModelQuotaExceededError):
            retryable = False
        return Failure(ProviderError("provider", _http_sentence(model, error)), retryable, error.retry_after)
    if isinstance(error, exceptions.ModelConnectionError | httpx2.TransportError):
        dropped = any(isinstance(cause, httpx2.RemoteProtocolError) for cause in _causes(error))
        return Failure(
            ProviderError("provider", "The connection to the model's provider failed."), True, dropped=dropped
        )
    if isinstance(error, exceptions.ModelAPIError):
        return Failure(ProviderError("provider", "The model's provider reported a fault."), True, error.retry_after)
    return Failure(ProviderError("provider", "The model's provider sent an answer that cannot be read."), False)


def _unreadable_sentence(error: UnreadableAnswerError) -> str:
    match error:
        case PageAnswerError():
            return "The model's provider sent a web page: this site's settings may name its address wrongly."
        case RedirectedError():
            return "The model's provider is at another address by now. This site's settings have to name it."
        case _:
            return "The model's provider sent an answer that cannot be read."


def _is_too_long(error: Exception) -> bool:
    """Whether a provider has refused a conversation for its length, with whatever status and in whatever words."""
    from pydantic_ai import exceptions

    if isinstance(error, exceptions.ModelContextWindowExceededError):
        return True
    if not isinstance(error, exceptions.ModelAPIError):
        return False
    status = error.status_code if isinstance(error, exceptions.ModelHTTPError) else None
    if status is not None and status not in _TOO_LONG_STATUSES:
        return False
    said = f"{error.message} {getattr(error, 'body', '')}"
    return not _RATE_WORDS.search(said) and (status == 413 or _TOO_LONG_WORDS.search(said) is not None)


def _window_of(error: Exception) -> int | None:
    """The tokens that a refusal for length says the model's window holds; None where it names none."""
    found = _WINDOW_WORDS.search(f"{getattr(error, 'message', error)} {getattr(error, 'body', '')}")
    return next((int(number) for number in found.groups() if number), None) if found else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _http_sentence(model: str, error: Exception) -> str:
    from pydantic_ai import exceptions

    match error:
        case exceptions.ModelAuthenticationError():
            return "The model's provider does not accept this site's API key."
        case exceptions.ModelNotFoundError():
            return f"The model's provider does not know the model {model}."
        case exceptions.ModelQuotaExceededError():
            return "This site's account with the model's provider is used up."
        case exceptions.ModelRateLimitError():
            return "The model's provider gets too many requests; please try again in a moment."
        case exceptions.ModelRequestRejectedError():
            return "The model's provider refused the request."
        case _:
            return "The model's provider has a fault; please try again in a moment."


def record(model: str, error: Exception, *, attempt: int) -> None:
    """Tell the operator the cause; never the provider's own message, which may quote the prompt."""
    status, code = getattr(error, "status_code", None), getattr(error, "provider_error_code", None)
    logger.warning("model %s failed, attempt %d: status %s, code %s", model, attempt, status, code, exc_info=error)


def unusable(model: str, error: Exception) -> ProviderError:
    """A model that cannot even be asked: what to set, said plainly."""
    from pydantic_ai.exceptions import UserError

    record(model, error, attempt=0)
    variable = re.search(r"`([A-Z][A-Z0-9_]+)`", str(error))
    if isinstance(error, UserError) and variable:
        return ProviderError("provider", f"The model {model} cannot be used: {variable[1]} is not set.")
    if isinstance(error, ImportError):
        return ProviderError("provider", f"The model {model} needs a package that is not installed.")
    if not isinstance(error, UserError):
        return ProviderError("provider", f"The model {model} cannot be used; this site's log says why.")
    hint = "It should be like openai:gpt-5-mini, openai-chat:NAME, anthropic:claude-sonnet-5-5, or demo."
    return ProviderError("provider", f"There is no model {model!r}; HERMES_MODEL or its profile names it. {hint}")
