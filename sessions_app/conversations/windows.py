"""How many tokens the window of a profile's model holds, and what a provider's refusal teaches of it.

What the operator has set on the profile is the authority. Else it is what the library knows of the model, and what a
refusal has told: the smaller of both. A refusal counts only for the model that it was about, at the same address.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from sessions_app.errors import TooLarge
from sessions_app.llm.cache_ledger.requests import BYTES_PER_TOKEN, RequestRecord
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.context import least_window, reserve_of, tokens_of
from sessions_app.llm.windows import window_of
from sessions_app.models import AgentProfile, ChatSession

# Of one character in UTF-8, and so the most tokens that it can be.
_MOST_BYTES = 4


@dataclass(frozen=True, slots=True)
class Window:
    """The tokens of a profile's window, and who says so: the operator, the library, or a provider's refusal."""

    tokens: int
    source: Literal["set", "known", "learnt"]


def find(profile: AgentProfile) -> Window | None:
    """Return the window in use, None where nobody knows."""
    if profile.context:
        return Window(profile.context, "set")
    known = window_of(profile.effective_model, profile.base_url)
    learnt = learnt_of(profile)
    if learnt and (not known or learnt < known):
        return Window(learnt, "learnt")
    return Window(known, "known") if known else None


def learnt_of(profile: AgentProfile) -> int | None:
    """Return what a refusal has told of the window of the profile's present model, at its present address."""
    source = _source(profile.effective_model, profile.base_url)
    return profile.learnt_context if profile.learnt_model == source else None


def window(profile: AgentProfile | None) -> int | None:
    """Return the tokens of the window in use, None where nobody knows."""
    found = find(profile) if profile else None
    return found.tokens if found else None


def check_window(tokens: int, prefix: FrozenPrefix) -> None:
    """Make sure that a window has room for more than what every request begins with. Raises ValueError."""
    size = tokens_of(len(prefix.to_json().encode()), None)
    if tokens < (least := least_window(size)):
        raise ValueError(
            f"A window of {tokens:,} tokens is too small: the system prompt and the tools take about {size:,}, and "
            f"what is said needs room too. It must hold at least {least:,}."
        )


def learn(profile_id: int, model: str, base_url: str, window: int) -> None:
    """Note what a refusal has told of the window of a profile's model, at an address if it has one of its own."""
    AgentProfile.objects.filter(pk=profile_id).update(learnt_context=window, learnt_model=_source(model, base_url))


def _source(model: str, base_url: str) -> str:
    return f"{model} {base_url}".rstrip()


def check_fits(chat_session: ChatSession, profile: AgentProfile | None, text: str) -> None:
    """Make sure that a message is not too large for a model's window all by itself. Raises TooLarge.

    It is an estimate, by the bytes of a token in the session's last request.
    """
    size = window(profile)
    if size is None or len(text) * _MOST_BYTES <= size - reserve_of(size) - len(chat_session.frozen_prefix):
        return
    last = RequestRecord.from_json(chat_session.last_request)
    # One odd prompt, of digits or base64, says little of the next text: what may fit is left to the provider.
    per_token = max(last.bytes_per_token, BYTES_PER_TOKEN) if last else BYTES_PER_TOKEN
    allowed = size - reserve_of(size) - ceil(len(chat_session.frozen_prefix) / BYTES_PER_TOKEN)
    over = ceil(len(text.encode()) / per_token) - allowed
    if over > 0 and allowed > 0:
        raise TooLarge(
            f"This message is about {over:,} tokens too long for the model, whose window holds {size:,}. Shorten it.",
            limit=int(allowed * per_token),
        )
