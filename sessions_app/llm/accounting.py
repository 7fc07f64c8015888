"""A request's line in the ledger, made once its provider has counted."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.llm.cache_clock.choice import Choice, choose_for_last
from sessions_app.llm.cache_clock.costs import MULTIPLES, Prompt
from sessions_app.llm.cache_clock.records import decide, entered, prompt_of
from sessions_app.llm.cache_clock.warmth import held_tokens
from sessions_app.llm.cache_ledger.diagnoses import Diagnosis
from sessions_app.llm.cache_ledger.entries import Entry, miss_of
from sessions_app.llm.cache_ledger.prices import cache_prices, price_of
from sessions_app.llm.cache_ledger.requests import DIGESTS, Caching, RequestRecord, expected_of, kept_of
from sessions_app.llm.cache_ledger.rolling_digest import Mark
from sessions_app.llm.cache_ledger.software import SOFTWARE
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.context import bytes_per_token
from sessions_app.llm.live_model import LiveModel
from sessions_app.llm.usage import Usage

BYTES_PER_TOKEN = 4
"""Bytes of a text that a token is, about."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it left: the digest of what stood before and beside its conversation, how far that had come, and
    when its answer began (seconds since the epoch). `choice` is for how long it was to be kept, where there was one."""

    prefix: str
    rows: Mark
    wire: Mark
    at: float
    choice: Choice | None = None


def choose_retention(transcript: CachedTranscript, live: LiveModel, now: float, is_last: bool) -> Choice | None:
    """Choose for how long the next request's prompt is to be kept; None where its provider leaves no choice.

    The size of what is new is estimated: no more than its share of the prompt counts. With `is_last` no other request
    goes on from this one.
    """
    if not live.chooses:
        return None
    last, caching = transcript.last, live.caching(transcript.session_id)
    same_model = last is not None and last.model == _source(transcript, live)
    if is_last:
        return choose_for_last(held_tokens(last, caching, now) if same_model else 0)
    if last is not None and same_model and transcript.continues(last):
        prompt = prompt_of(last, transcript.asked_bytes // BYTES_PER_TOKEN, caching, now)
    else:
        prompt = Prompt(transcript.size // BYTES_PER_TOKEN)
    prices = cache_prices(live.model.model_name, live.base_url) or MULTIPLES
    return decide(last, prompt, prices, transcript.user_pauses, now)


def comparable_response(transcript: CachedTranscript, live: LiveModel) -> str:
    """The id of the session's last answer, where this server tells why its cache has less than it had then."""
    last = transcript.last
    if last is None or not live.diagnoses or not last.model.endswith(f" {live.base_url}"):
        return ""
    return last.response


def _source(transcript: CachedTranscript, live: LiveModel) -> str:
    """The model and its server, as a record names them."""
    return f"{transcript.model} {live.base_url}"


def _record(
    transcript: CachedTranscript,
    live: LiveModel,
    sent: Sent,
    usage: Usage,
    caching: Caching,
    answered: int,
    response: str,
) -> RequestRecord:
    """What the request was, for the next one of its session to be compared with."""
    last, choice = transcript.last, sent.choice
    this = RequestRecord(
        model=_source(transcript, live),
        prefix=sent.prefix,
        prompt=transcript.prompt,
        tools=transcript.tools,
        software=SOFTWARE,
        rows=sent.rows,
        wire=sent.wire,
        at=sent.at,
        kept=kept_of(usage, caching),
        digests=DIGESTS,
        tokens=usage.input_tokens + usage.output_tokens or None,
        size=transcript.length + answered,
        bytes_per_token=bytes_per_token(transcript.length, usage.input_tokens, last),
        summary=transcript.summary,
        response=response,
    )
    if choice is None:
        return this
    return entered(this, last, choice, transcript.user_pauses, usage.cached_tokens, caching)


def account(
    transcript: CachedTranscript,
    live: LiveModel,
    sent: Sent,
    usage: Usage,
    model: str,
    *,
    reported: bool,
    answered: int,
    diagnosis: Diagnosis,
) -> Entry:
    """The line of a request that cost `usage`; from now on it is the session's last (`transcript.last`).

    `model` is the provider's own name for what answered; `reported`: it has said how much it found in its cache.
    `answered` are the bytes of the answer, `diagnosis` what the provider says itself of its cache.
    """
    caching, last, choice = live.caching(transcript.session_id), transcript.last, sent.choice
    this = _record(transcript, live, sent, usage, caching, answered, diagnosis.response)
    miss = miss_of(
        last,
        this,
        transcript.compared(last) if last else None,
        usage,
        reported=reported,
        applied=transcript.applied,
        caching=caching,
    )
    transcript.last = this
    price = price_of(usage, model, live.base_url)
    return Entry(
        sent.prefix,
        expected_of(last),
        miss,
        price.cost if price else None,
        price.saved if price else None,
        int(choice.retention) if choice else None,
        choice.reason if choice else "",
        diagnosis.reason,
    )
