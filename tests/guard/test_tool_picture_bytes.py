"""The bytes of turns whose tools bring pictures, also those that a person must approve, on the three wires.

Thorough: the suite asks it of pictures that a user brings (`test_file_bytes`) and of calls (`test_approval_bytes`).
"""

from __future__ import annotations

import pytest

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.tools.sources import Context, ToolImage, ToolOutput
from tests.guard.test_bytes import assert_each_extends_the_last
from tests.guard.test_client_tool_bytes import OWN
from tests.guard.test_file_bytes import OTHER, PICTURE, pictures_in
from tests.guard.wires import first_over_responses
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import idle
from tests.turns.tool_server import MailServer, decided, give_tools, sends, serve, waiting

pytestmark = [pytest.mark.usefixtures("wire"), pytest.mark.thorough]


class PictureServer(MailServer):
    """Each result has a picture, which shows whether the call was asked for."""

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        output = await super().call(context, call)
        return ToolOutput(output.text, (ToolImage(PICTURE if call.name == "mail_read" else OTHER, "image/png"),))


@first_over_responses
async def test_pictures_of_results_only_add_to_the_request(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    """Of calls that were made at once, and of approved ones, in two processes by turns."""
    server, chat = PictureServer(), await session()
    hosts = [await new_host(), await new_host()]
    for host in hosts:
        serve(host, server)
    await give_tools(chat)
    for number, host in enumerate(hosts):
        step = [sends("Bo", tool="mail_read"), sends("Al"), OWN, sends("Cy"), sends("Di", tool="mail_read")]
        provider.script(
            Answer(["One."], reasoning=["Hm."], calls=step),
            Answer(["Two."], calls=[sends("Ed", tool="mail_read")]),
            Answer(["Done."]),
        )
        await host.show(chat)
        await host.turn(chat, f"Write, {number}.")
        await idle(host)
        decider = hosts[0]
        await decider.show(chat)
        words = {each.tool_call_id: bool(index) for index, each in enumerate(await waiting(host, chat))}
        await decided(decider, chat, words)
    assert len(provider.bodies) == 6
    assert_each_extends_the_last(provider.bodies)
    assert len(pictures_in(provider.requests[-1].json)) == 8
