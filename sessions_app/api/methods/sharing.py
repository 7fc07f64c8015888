"""Links to chats as they were: make one, list those of a chat, revoke one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import LEFT_OUT, EmptyResult, Id, Params, SessionParams
from sessions_app.conversations.shape import Shape
from sessions_app.errors import Conflict, Forbidden, NotFound, TooMany
from sessions_app.models import Audience
from sessions_app.sharing import links
from sessions_app.sharing.line import Pages
from sessions_app.sharing.links import ShareShape, Terms


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError("must be a date and time with its offset, in the form 2027-01-31T12:00:00Z")


def _audience(value: Any) -> Audience:
    if not isinstance(value, str) or value not in Audience.values:
        raise ValueError(f"must be {' or '.join(Audience.values)}")
    return Audience(value)


Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
AudienceName = Annotated[
    Audience, PlainValidator(_audience), WithJsonSchema({"type": "string", "enum": [*Audience.values]})
]


class ShareParams(SessionParams):
    until: Id = LEFT_OUT
    """The message that the link ends with, of the branch that is shown; left out, the last one."""
    audience: AudienceName = LEFT_OUT
    """Who may open it; left out, all that the site allows."""
    expires_at: Moment = LEFT_OUT
    """When it ends; left out, it ends when it is revoked."""


class RevokeShareParams(Params):
    share_id: Id
    """The link to end."""


class ShareResult(Shape):
    """The link as it is kept."""

    share: ShareShape


class SharesResult(Shape):
    """The links to a chat, oldest first; and whom the site lets chats be shared with, the narrowest first."""

    shares: list[ShareShape]
    audiences: list[Audience]


async def _create(call: Call, params: ShareParams) -> ShareResult:
    """Make a link to a chat as it is now; what is said or changed in it later is not in the link."""
    user_id = call.caller.user_id
    # Who may only read is refused here, before the line is read.
    line = await call.write(links.find, user_id, params.session_id, params.until)
    pages, first = Pages(), 0
    while (then := await call.caller.read(links.read_some, user_id, line, pages, first)) is not None:
        first = then
    terms = Terms(params.audience, params.expires_at)
    return ShareResult(share=await call.write(links.make, user_id, line, pages.done, terms))


async def _list(call: Call, params: SessionParams) -> SharesResult:
    """List the links to a chat."""
    shares = await call.caller.read(links.of_session, call.caller.user_id, params.session_id)
    return SharesResult(shares=shares, audiences=links.audiences())


async def _revoke(call: Call, params: RevokeShareParams) -> EmptyResult:
    """End a link at once."""
    await call.write(links.revoke, call.caller.user_id, params.share_id)
    return EmptyResult()


METHODS = (
    Method("share.create", ShareParams, ShareResult, _create, (NotFound, Forbidden, Conflict, TooMany), changes=True),
    Method("share.list", SessionParams, SharesResult, _list, (NotFound,)),
    Method("share.revoke", RevokeShareParams, EmptyResult, _revoke, (NotFound,), changes=True),
)
