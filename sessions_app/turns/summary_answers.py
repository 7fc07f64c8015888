"""Read the answer to the request for a summary: is it one, and what has it cost?"""

from __future__ import annotations

from dataclasses import replace

from sessions_app.llm.content.parts import reasoning_of
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.step_events import StepResult

MAX_SUMMARY = 40_000
"""Characters of the longest summary. What does not come to its end within them is no summary."""

MAX_ANSWER = 200_000
"""Characters of a summary with the thoughts before it: of these some models have many."""


def cost_of(result: StepResult, *, whole: bool) -> StepResult:
    """Return its cost: of a shorter beginning it was no miss that the rest of the prompt was not found."""
    if whole or result.entry is None:
        return result
    found = min(result.entry.expected, result.usage.input_tokens)
    return replace(result, entry=replace(result.entry, expected=found, miss=None))


def summary_of(result: StepResult) -> str:
    """Return the summary in an answer. Raises ProviderError where there is none.

    One that the model's own limit has cut is better than none: else the chat could not go on.
    """
    if not result.text.strip():
        raise ProviderError("empty", "The model asked for a tool in place of a summary.")
    if result.finish == "context":
        raise ProviderError("context", "There was no room for the summary.")
    said = len(result.text)
    is_cut = said >= MAX_SUMMARY or said + len(reasoning_of(result.parts)) >= MAX_ANSWER
    if is_cut or result.finish not in (None, "length"):
        raise ProviderError("provider", "The model did not come to the end of a summary.")
    return result.text.strip()
