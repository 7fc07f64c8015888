"""How many tokens the window of a profile's model holds, and what a provider's refusal teaches of it.

What the operator has set on the profile is the authority. Else it is what the library knows of the model, and what a
refusal has told: the smaller of both. A refusal counts for the model that it was about only.
"""

from __future__ import annotations

from sessions_app.llm.windows import window_of
from sessions_app.models import AgentProfile


def window(profile: AgentProfile) -> int | None:
    """Return the tokens of the window, None where nobody knows."""
    if profile.context:
        return profile.context
    learnt = profile.learnt_context if profile.learnt_model == profile.effective_model else None
    known = window_of(profile.effective_model, profile.base_url)
    return min((size for size in (known, learnt) if size), default=None)


def learn(profile_id: int, model: str, window: int) -> None:
    """Note what a refusal has told of the window of a profile's model."""
    AgentProfile.objects.filter(pk=profile_id).update(learnt_context=window, learnt_model=model)
