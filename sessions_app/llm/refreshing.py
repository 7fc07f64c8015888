"""Send a prompt again, only so that its provider keeps it for longer: what it can cost, and the request.

The request is the session's last one, byte for byte up to its last breakpoint: the same beginning, the same elements,
nothing that was said since. Only the length of the answer is another, of which no prompt depends.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sessions_app.llm.cache_clock.choice import Choice
from sessions_app.llm.cache_clock.refreshing import pays
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import cache_prices, price_of
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.live_model import LiveModel
from sessions_app.llm.providers import Providers
from sessions_app.llm.step import Step
from sessions_app.llm.usage import Usage

KEPT_WARM = Choice(Retention.SHORT, "kept warm over a pause: cheaper than to read it as new")
ANSWER_TOKENS = 1
"""Of the answer, which nobody reads: the fewest that may be asked for."""


def most_of_refresh(transcript: CachedTranscript, live: LiveModel, now: float) -> Decimal | None:
    """Return the most that a refresh can cost, in US dollars: all of the prompt written anew, at the dearest.

    None where it does not pay, and where nobody knows what it costs.
    """
    last, model, address = transcript.last, live.model.model_name, live.base_url
    prices = cache_prices(model, address)
    if last is None or not last.tokens or prices is None or not pays(last, prices, now):
        return None
    # The last request's answer is counted among them and is not sent: what is sent is less.
    dearest = Usage(last.tokens, 0, last.tokens, ANSWER_TOKENS, long_write_tokens=last.tokens)
    price = price_of(dearest, model, address)
    return price.cost if price else None


def refresh_step(providers: Providers, transcript: CachedTranscript) -> Step:
    """The request. It ends as soon as one token was answered, which may be no word: then it raises ProviderError."""
    wanted = transcript.sampling if isinstance(transcript.sampling, dict) else {}
    transcript.sampling = {**wanted, "max_tokens": ANSWER_TOKENS}
    return Step(providers, transcript, choice=KEPT_WARM)


def refreshed(last: RequestRecord, this: RequestRecord) -> RequestRecord:
    """Return the record of a session's last request after its prompt was sent again, as `this` says.

    Pauses count from what was said, so that stays as it was. What the provider had to write anew is kept for minutes.
    """
    long = last.long if this.long else 0
    return replace(last, refreshed_at=this.at, kept=this.kept, long=long, long_until=this.long_until if long else 0.0)
