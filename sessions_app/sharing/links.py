"""Make, list and revoke links: a step of a database thread each.

To make one reads the line in steps of bounded size (``find``, ``read_some``), and stores the link in a transaction at
the end (``make``), under the session's lock and its user's. What is written to the line meanwhile cannot get into the
link: it stands behind its last message, or in another branch, or does not have the digest that was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sessions_app.conversations import access, branches, features, reach
from sessions_app.conversations.shape import Shape
from sessions_app.errors import BadInput, Conflict, Forbidden, NotFound, TooMany
from sessions_app.models import Audience, Feature, Message, Share, SharePage
from sessions_app.sharing.keys import address_of, make_key
from sessions_app.sharing.line import Line, PageOfLine, Pages

SHARES_PER_USER = 1_000
_STEP_MESSAGES = 20


class ShareShape(Shape):
    """A link to a chat up to and with the message ``until``. ``url`` is its address on this site.

    ``url`` is null where the site's SECRET_KEY was replaced since: the link works, and nobody can be told it again.
    ``audience`` is whom it is for; ``expires_at`` when it ends, null for never.
    """

    id: UUID
    url: str | None
    created_at: datetime
    until: UUID
    audience: Audience
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom a link is for, and when it ends. Without an audience: all that the site allows."""

    audience: Audience | None = None
    expires_at: datetime | None = None


def audiences() -> list[Audience]:
    """Return whom chats may be shared with on this site, the narrowest first."""
    match settings.HERMES_SHARING:
        case "off":
            return []
        case "users":
            return [Audience.USERS]
        case _:
            return [Audience.USERS, Audience.EVERYBODY]


def find(user_id: int, session_id: UUID, until: UUID | None) -> Line:
    """Return the line that is shown now, up to a message of it; without one, to its last.

    Raises NotFound, Forbidden, Conflict where that message is in another branch, and BadInput where there is none.
    """
    features.require(user_id, Feature.SHARING)
    chat_session = access.chat_session(user_id, session_id)
    if until is None:
        messages, _ = branches.latest(chat_session, 1)
        if not messages:
            raise BadInput("There is nothing in this chat to share yet.")
        return _line(messages[0])
    message = access.message(user_id, until)
    if message.chat_session_id != session_id:
        raise NotFound
    if not branches.is_shown(chat_session, message):
        raise Conflict("That message is in another branch than the one that is shown.")
    return _line(message)


def _line(message: Message) -> Line:
    return Line(message.chat_session_id, message.branch_id, message.position, message.public_id)


def read_some(user_id: int, line: Line, pages: Pages, first: int) -> int | None:
    """Add the next messages of a line to its pages. Return where the rest begins, None at the end. Raises NotFound."""
    access.chat_session(user_id, line.session_id)
    messages, has_more = line.messages(_STEP_MESSAGES, first=first)
    pages.add(messages)
    if has_more:
        return messages[-1].position + 1
    pages.end()
    return None


def make(user_id: int, line: Line, pages: Sequence[PageOfLine], terms: Terms) -> ShareShape:
    """Store a link. Raises NotFound, Forbidden, BadInput where its time is over already, and TooMany."""
    chat_session = access.chat_session(user_id, line.session_id, lock=True)
    access.require_user(user_id)
    features.require(user_id, Feature.SHARING)
    audience = _audience(terms)
    if terms.expires_at is not None and terms.expires_at <= timezone.now():
        raise BadInput("expires_at must be in the future.")
    _admit(user_id)
    key = make_key()
    share = Share.objects.create(
        owner_id=user_id,
        chat_session=chat_session,
        digest=key.digest,
        sealed=key.sealed,
        audience=audience,
        title=chat_session.title,
        until=line.until,
        branch=line.branch_id,
        pages=len(pages),
        expires_at=terms.expires_at,
    )
    SharePage.objects.bulk_create(
        (SharePage(share=share, number=number, first=page.first, last=page.last, digest=page.digest)
         for number, page in enumerate(pages, 1)),
        batch_size=500,
    )  # fmt: skip
    share.refresh_from_db(fields=["created_at"])
    return share_shape(share)


def _audience(terms: Terms) -> Audience:
    allowed = audiences()
    audience = terms.audience or allowed[-1]
    if audience not in allowed:
        raise Forbidden("On this site chats are shared only with people who are signed in.")
    return audience


def _admit(user_id: int) -> None:
    """Remove the user's links whose time is over, and refuse one that is one too many. Raises TooMany."""
    own = Share.objects.filter(owner=user_id)
    own.filter(expires_at__lte=Now()).delete()
    if (used := own.count()) >= SHARES_PER_USER:
        raise TooMany(
            f"You have {used:,} shared links, and {SHARES_PER_USER:,} are allowed. Revoke some that are not needed.",
            quota="shares",
            used=used,
            limit=SHARES_PER_USER,
        )


def of_session(user_id: int, session_id: UUID) -> list[ShareShape]:
    """Return the links to a chat, oldest first. Raises NotFound."""
    access.chat_session(user_id, session_id)
    rows = Share.objects.filter(owner=user_id, chat_session=session_id)
    return [share_shape(share) for share in rows.order_by("created_at", "pk")]


def of_user(user_id: int) -> QuerySet[Share]:
    """Return all the links of a user, newest first."""
    return Share.objects.filter(owner=user_id).order_by("-created_at", "pk")


def revoke(user_id: int, share_id: UUID) -> None:
    """End a link at once. Raises NotFound."""
    share = reach.reached(Share.objects.filter(owner=user_id, pk=share_id), "chat_session__profile").first()
    if share is None:
        raise NotFound
    share.delete()


def share_shape(share: Share) -> ShareShape:
    """Return a link as it is told to its owner."""
    return ShareShape(
        id=share.pk,
        url=address_of(share.sealed),
        created_at=share.created_at,
        until=share.until,
        audience=Audience(share.audience),
        expires_at=share.expires_at,
    )
