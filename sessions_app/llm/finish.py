"""Why an answer is not whole, although its provider has ended it as it should."""

from __future__ import annotations

from typing import Literal

Finish = Literal["length", "content_filter", "refusal", "context", "pause", "budget"]
"""It reached the length limit, a filter or the model itself ended it, the model's window is full, the provider
paused, nothing is left of a budget."""
