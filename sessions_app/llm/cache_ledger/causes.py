"""Why a provider's cache had less than was expected.

A provider keeps the beginning of a prompt for a while and charges about a tenth for what it finds again. So a request
may expect what the last one of its session had, as long as it begins with the same bytes. Where the provider reports
less, one of these is why:

- the *transcript* (edited, or its beginning summarised),
- the *session* (another model, a profile applied, a prompt or tools changed by hand),
- the *software* (another version writes other bytes),
- the *provider* (its time to live passed, it evicted the prompt, it reports nothing),
- or none of these: then it was the *host*, which must never happen. A session's frozen prefix and its kept
  elements are there so that it does not; this cause is there so that it would be seen.
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a provider's cache had less than was expected; `sentence` says it to a person."""

    FIRST = "first"
    MODEL = "model"
    PROFILE = "profile"
    PROMPT = "prompt"
    TOOLS = "tools"
    SOFTWARE = "software"
    COMPACTED = "compacted"
    EDITED = "edited"
    EXPIRED = "expired"
    EVICTED = "evicted"
    UNREPORTED = "unreported"
    HOST = "host"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Cause:
        """What a newer version has stored: an older one, beside it or after it, reads it too."""
        return cls.OTHER

    @property
    def sentence(self) -> str:
        """The cause in a few words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.FIRST: "first turn",
    Cause.MODEL: "model changed",
    Cause.PROFILE: "profile applied",
    Cause.PROMPT: "system prompt changed",
    Cause.TOOLS: "tools changed",
    Cause.SOFTWARE: "software upgraded",
    Cause.COMPACTED: "earlier messages summarised",
    Cause.EDITED: "transcript edited",
    Cause.EXPIRED: "provider's time to live passed",
    Cause.EVICTED: "provider evicted it",
    Cause.UNREPORTED: "provider reports no cached tokens",
    Cause.HOST: "the host sent other bytes",
    Cause.OTHER: "another cause",
}
