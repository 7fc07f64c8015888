"""The peer's application, as its documentation writes it: all that was said is sent, the answer is streamed.

Run by Chainlit in an environment of its own; nothing of this project is imported.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import chainlit
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from openai import AsyncOpenAI

client = AsyncOpenAI()


@chainlit.data_layer
def store() -> SQLAlchemyDataLayer:
    """Where conversations are kept."""
    return SQLAlchemyDataLayer(conninfo=f"sqlite+aiosqlite:///{os.environ['PEER_DATABASE']}")


@chainlit.header_auth_callback
def user(headers: Mapping[str, str]) -> chainlit.User:
    """Who asks."""
    return chainlit.User(identifier=headers["x-user"])


@chainlit.on_message
async def answer(message: chainlit.Message) -> None:
    """One turn of the conversation that the connection has."""
    messages = chainlit.user_session.get("messages") or [{"role": "system", "content": "You are a helpful assistant."}]
    messages.append({"role": "user", "content": message.content})
    said = chainlit.Message(content="")
    stream = await client.chat.completions.create(
        model=os.environ["PEER_MODEL"], messages=messages, stream=True, stream_options={"include_usage": True}
    )
    async for part in stream:
        if part.choices and (token := part.choices[0].delta.content):
            await said.stream_token(token)
    await said.update()
    messages.append({"role": "assistant", "content": said.content})
    chainlit.user_session.set("messages", messages)
