"""`GET /api/ag-ui/capabilities`: what clients can count on here, as AG-UI's own type says it."""

from __future__ import annotations

import json

from ag_ui.core import (
    AgentCapabilities,
    ExecutionCapabilities,
    HumanInTheLoopCapabilities,
    IdentityCapabilities,
    MultiAgentCapabilities,
    MultimodalCapabilities,
    MultimodalInputCapabilities,
    MultimodalOutputCapabilities,
    OutputCapabilities,
    ReasoningCapabilities,
    StateCapabilities,
    Tool,
    ToolsCapabilities,
    TransportCapabilities,
)
from django.urls import reverse

from sessions_app import database
from sessions_app.api.auth import Caller
from sessions_app.api.openrpc import VERSION
from sessions_app.conversations import profiles
from sessions_app.http_api.exchange import Exchange
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import AgentProfile
from sessions_app.session_store import chats
from sessions_app.turns.run import MAX_STEPS

_NO_OUTPUT = MultimodalOutputCapabilities(image=False, audio=False)


async def tell(exchange: Exchange, caller: Caller) -> None:
    """Tell what clients of AG-UI can count on. Raises NotFound (no profile), Unauthorised."""
    # The site's own: one who may only read has it made, too.
    await database.of(caller.user_id).write(AgentProfile.default)
    told = await caller.read(_of_user, caller.user_id)
    await exchange.answer(told.model_dump_json(by_alias=True).encode())


def _of_user(user_id: int) -> AgentCapabilities:
    """Return what a new thread of a user can do, with the tools of the profile that their sessions begin with."""
    profile = profiles.default(user_id)
    prefix = chats.new_prefix(user_id, profile, uses_memory=True)
    return AgentCapabilities(
        identity=IdentityCapabilities(
            name="Hermes Site",
            type="hermes-site",
            version=VERSION,
            description="A chat host. A thread is a session, which its user sees and continues in the page.",
        ),
        # The WebSocket has the same events, in frames of JSON-RPC: ``custom`` says where.
        transport=TransportCapabilities(
            streaming=True, websocket=True, http_binary=False, push_notifications=False, resumable=True
        ),
        tools=ToolsCapabilities(supported=True, items=_tools(prefix), parallel_calls=True, client_provided=True),
        output=OutputCapabilities(structured_output=False),
        state=StateCapabilities(snapshots=False, deltas=False, memory=profile.memory, persistent_state=False),
        multi_agent=MultiAgentCapabilities(supported=False, delegation=False, handoffs=False),
        reasoning=ReasoningCapabilities(supported=True, streaming=True, encrypted=False),
        multimodal=MultimodalCapabilities(input=_input(profile), output=_NO_OUTPUT),
        execution=ExecutionCapabilities(code_execution=False, max_iterations=MAX_STEPS),
        human_in_the_loop=HumanInTheLoopCapabilities(
            supported=True,
            approvals=True,
            interventions=False,
            feedback=False,
            interrupts=True,
            approve_with_edits=False,
        ),
        custom={"websocket": {"path": f"{reverse('chat')}ws/chat/", "openrpc": reverse("api:openrpc")}},
    )


def _input(profile: AgentProfile) -> MultimodalInputCapabilities:
    takes_files = profile.takes_files
    return MultimodalInputCapabilities(
        image=profile.takes_images, audio=False, video=False, pdf=takes_files, file=takes_files
    )


def _tools(prefix: FrozenPrefix) -> list[Tool]:
    return [
        Tool(name=each.name, description=each.description, parameters=json.loads(each.parameters))
        for each in prefix.tools
    ]
