"""What belongs to the caller and to no one session: profiles, features, usage, the facts missed, Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from django.conf import settings
from pydantic import Field

from sessions_app import database, journal
from sessions_app.api.events import FactNotification, FeatureName, fact_notification, feature_names
from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import PAGE, Limit, NoParams, Params, Position, Text
from sessions_app.budgets.telling import BudgetShape, told
from sessions_app.conversations import features, profiles, storage
from sessions_app.conversations.session_schemas import ChoiceShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import TooLarge
from sessions_app.journal import foreign
from sessions_app.models import AgentProfile
from sessions_app.web import rendering

TEXTS_AT_ONCE = 200


class ProfilesResult(Shape):
    """The profiles that the caller may choose."""

    profiles: list[ChoiceShape]


class SessionsUsed(Shape):
    """How many sessions there are, and how many may be."""

    count: int
    quota: int


class TextUsed(Shape):
    """How many characters the sessions hold, and how many they may."""

    characters: int
    quota: int


class FilesUsed(Shape):
    """How many bytes the files take, with what was made of them, and how many they may."""

    bytes: int
    quota: int


class UsageResult(Shape):
    """What the caller stores, each kind with its quota, and what is spent of the ``budgets`` that bind them."""

    sessions: SessionsUsed
    text: TextUsed
    files: FilesUsed
    budgets: list[BudgetShape]


class FeaturesResult(Shape):
    """``features``: those that the caller may use; others are for groups that they are not in.

    From here on the connection is told ``account.changed`` when they change, or the profiles that may be chosen.
    """

    features: list[FeatureName]


class SinceParams(Params):
    cursor: Position
    """That of the last fact which the client knows; 0 for the beginning."""
    limit: Limit = PAGE
    """How many facts at most."""


class SinceResult(Shape):
    """The facts, in order, and the ``cursor`` to go on from; ``has_more``: there are more.

    ``reset``: what was asked for is no longer kept, or beyond the newest, so everything must be fetched again.
    """

    events: list[FactNotification]
    cursor: int
    has_more: bool
    reset: bool


class RenderParams(Params):
    texts: Annotated[list[Text], Field(min_length=1, max_length=TEXTS_AT_ONCE)]
    """Markdown."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield sum(map(len, self.texts)), settings.HERMES_MAX_TEXT


class RenderResult(Shape):
    """``html``: each of the texts, in their order, safe to show."""

    html: list[str]


async def _profiles(call: Call, params: NoParams) -> ProfilesResult:
    """List the profiles that the caller may choose."""
    listed = await call.caller.read(profiles.listing, call.caller.user_id)
    if listed is None:
        # The site's own: one who may only read has it made, too.
        await database.of(call.caller.user_id).write(AgentProfile.default)
        listed = await call.caller.read(profiles.listing, call.caller.user_id)
    return ProfilesResult(profiles=listed or [])


async def _features(call: Call, params: NoParams) -> FeaturesResult:
    """Tell which features the caller may use, and from now on when that changes."""
    user_id = call.caller.user_id
    denied = (await call.caller.read(features.denied, [user_id]))[user_id]
    call.subscription.denied = denied
    return FeaturesResult(features=feature_names(denied))


async def _usage(call: Call, params: NoParams) -> UsageResult:
    """Tell how much the caller stores and has spent, and how much they may."""
    used, budgets = await call.caller.read(_used, call.caller.user_id)
    return UsageResult(
        sessions=SessionsUsed(count=used.sessions, quota=settings.HERMES_SESSIONS_PER_USER),
        text=TextUsed(characters=used.characters, quota=settings.HERMES_TEXT_QUOTA),
        files=FilesUsed(bytes=used.file_bytes, quota=settings.HERMES_FILE_QUOTA),
        budgets=budgets,
    )


def _used(user_id: int) -> tuple[storage.Stored, list[BudgetShape]]:
    return storage.stored(user_id), told(user_id)


async def _since(call: Call, params: SinceParams) -> SinceResult:
    """Tell the facts after a cursor, in order; what another program has changed until now is among them."""
    user_id = call.caller.user_id
    await call.caller.check()
    if changed := await call.caller.read(foreign.find, user_id):
        # The host's own word, which is told whoever asks: also one who may only read, or reaches only some chats.
        await call.runner.publisher.write(database.of(user_id), foreign.tell, changed)
    page = await call.caller.read(journal.after, user_id, params.cursor, params.limit)
    if page.reset:
        return SinceResult(events=[], cursor=page.cursor, has_more=False, reset=True)
    events = [fact_notification(fact) for fact in page.facts]
    return SinceResult(events=events, cursor=page.cursor, has_more=page.has_more, reset=False)


async def _render(call: Call, params: RenderParams) -> RenderResult:
    """Turn Markdown into sanitised HTML, each text by itself."""
    await call.caller.check()
    return RenderResult(html=await rendering.render_all(call.caller.user_id, params.texts))


METHODS = (
    Method("profile.list", NoParams, ProfilesResult, _profiles),
    Method("events.since", SinceParams, SinceResult, _since, reflects=True),
    Method("account.features", NoParams, FeaturesResult, _features, reflects=True),
    Method("account.usage", NoParams, UsageResult, _usage),
    Method("markdown.render", RenderParams, RenderResult, _render, (TooLarge,)),
)
