"""`GET /v1/models`: the profiles that the user may choose, by their names."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from sessions_app import database
from sessions_app.api.auth import Caller
from sessions_app.conversations import profiles
from sessions_app.http_api.errors import unknown_model
from sessions_app.http_api.exchange import Exchange
from sessions_app.models import AgentProfile

OWNER = "hermes-site"
"""Who a model is owned by: the host."""


class Model(BaseModel):
    """A profile that the user may choose."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = OWNER


class ModelList(BaseModel):
    """The profiles that the user may choose, in their order."""

    object: Literal["list"] = "list"
    data: list[Model]


async def listing(exchange: Exchange, caller: Caller) -> None:
    """Answer the models that a user may choose. Raises Unauthorised."""
    models = ModelList(data=[_model(each) for each in await _offered(caller)])
    await exchange.answer(models.model_dump_json().encode())


async def one(exchange: Exchange, caller: Caller, name: str) -> None:
    """Answer one model. Raises ApiError where it is none that the user may choose, Unauthorised."""
    await exchange.answer(_model(await find(caller, name)).model_dump_json().encode())


async def find(caller: Caller, name: str) -> AgentProfile:
    """Return the profile that a model's name stands for. Raises ApiError, Unauthorised."""
    found = next((each for each in await _offered(caller) if each.name == name), None)
    if found is None:
        raise unknown_model(name)
    return found


async def _offered(caller: Caller) -> list[AgentProfile]:
    offered = await caller.read(profiles.offered, caller.user_id)
    if offered is None:
        # The site's own: one who may only read has it made, too.
        await database.of(caller.user_id).write(AgentProfile.default)
        offered = await caller.read(profiles.offered, caller.user_id)
    return offered or []


def _model(profile: AgentProfile) -> Model:
    return Model(id=profile.name, created=int(profile.created_at.timestamp()))
