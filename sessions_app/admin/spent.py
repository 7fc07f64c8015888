"""What a session has cost, as admin's list and its page write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from sessions_app.admin.listing import InspectionAdmin
from sessions_app.admin.words import cached_share, number, paid, saved
from sessions_app.conversations.spending import Totals

if TYPE_CHECKING:
    from sessions_app.llm.cache_ledger.causes import Cause
    from sessions_app.llm.usage import Usage
    from sessions_app.models import ChatSession

    class Listed(ChatSession):
        """A session with what its turns have used, and its title, None where the reader may not see it."""

        usage: Usage
        shown_title: str | None

    class Shown(Listed):
        """A session with its part of the ledger besides, by causes, and whether its prompt is for the reader."""

        may_see_prompt: bool
        causes: dict[Cause | None, Totals]


class SpentAdmin(InspectionAdmin):
    """The figures of a session: a list's rows know their usage, the one row of a page its part of the ledger too."""

    @admin.display(description="tokens in")
    def input_tokens(self, row: Listed) -> str:
        """The prompts of all turns."""
        return number(row.usage.input_tokens)

    @admin.display(description="tokens out")
    def output_tokens(self, row: Listed) -> str:
        """The answers of all turns."""
        return number(row.usage.output_tokens)

    @admin.display(description="cached")
    def cached(self, row: Listed) -> str:
        """The part of the prompts that came from the provider's cache."""
        return cached_share(row.usage)

    @admin.display(description="misses of the cache")
    def misses(self, row: Shown) -> str:
        """Why the provider's cache had less than expected, in how many turns, and how many tokens they missed."""
        told = [
            f"{cause.sentence}: {number(totals.turns)} turn{'' if totals.turns == 1 else 's'}, "
            f"{number(totals.missed)} tokens"
            for cause, totals in row.causes.items()
            if cause
        ]
        return "; ".join(told) or "-"

    @admin.display(description="cost")
    def paid(self, row: Shown) -> str:
        """What the turns cost whose price is known."""
        return paid(_sum(row))

    @admin.display(description="saved")
    def saved_by_cache(self, row: Shown) -> str:
        """How much more they would have cost without a cache."""
        return saved(_sum(row))

    @admin.display(description="turns without a price")
    def unpriced(self, row: Shown) -> str:
        """How many turns are not in the cost."""
        return number(_sum(row).unpriced)


def _sum(row: Shown) -> Totals:
    return sum(row.causes.values(), Totals())
