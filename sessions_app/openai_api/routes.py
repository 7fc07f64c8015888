"""The addresses of OpenAI's API, and what answers them."""

from __future__ import annotations

from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route
from sessions_app.openai_api import chat, conversations, models, naming, reading, response_reading, responses

ROOT = "/v1/"

# OpenAI's own types say what is answered; they are loaded when the description is made.
_RESPONSE = "openai.types.responses:Response"
_EVENTS = "openai.types.responses:ResponseStreamEvent"
_INPUT_ITEMS = "openai.types.responses.response_item_list:ResponseItemList"
_CONVERSATION = "openai.types.conversations:Conversation"
_ITEMS = "openai.types.conversations.conversation_item_list:ConversationItemList"

_NAMES = dict.fromkeys(naming.NAMING, "Names the session.")
_CHAT = About(
    answer="openai.types.chat:ChatCompletion",
    events="openai.types.chat:ChatCompletionChunk",
    body=reading.ChatBody,
    example={"model": "Default", "messages": [{"role": "user", "content": "Calculate 6*7"}]},
    fields=_NAMES,
    changes=True,
)
_NEW_RESPONSE = About(
    answer=_RESPONSE,
    events=_EVENTS,
    body=response_reading.ResponseBody,
    example={"model": "Default", "input": "Calculate 6*7"},
    fields=_NAMES,
    changes=True,
)
_DELETION = About(answer=responses.Deleted, changes=True)
_NEW_CONVERSATION = About(
    answer=_CONVERSATION,
    body=conversations.ConversationBody,
    example={"items": [{"role": "user", "content": "Hello"}]},
    changes=True,
)

ROUTES = [
    Route("GET", f"{ROOT}models", models.listing, about=About(answer=models.ModelList)),
    Route("GET", f"{ROOT}models/{{name}}", models.one, about=About(answer=models.Model)),
    Route("POST", f"{ROOT}chat/completions", chat.complete, about=_CHAT),
    Route("POST", f"{ROOT}responses", responses.create, about=_NEW_RESPONSE),
    Route("POST", f"{ROOT}responses/{{name}}/cancel", responses.cancel, about=About(answer=_RESPONSE, changes=True)),
    Route("GET", f"{ROOT}responses/{{name}}/input_items", responses.input_items, about=About(answer=_INPUT_ITEMS)),
    Route("GET", f"{ROOT}responses/{{name}}", responses.retrieve, about=About(answer=_RESPONSE, events=_EVENTS)),
    Route("DELETE", f"{ROOT}responses/{{name}}", responses.delete, about=_DELETION),
    Route("POST", f"{ROOT}conversations", conversations.create, about=_NEW_CONVERSATION),
    Route("GET", f"{ROOT}conversations/{{name}}/items", conversations.items, about=About(answer=_ITEMS)),
    Route("GET", f"{ROOT}conversations/{{name}}", conversations.retrieve, about=About(answer=_CONVERSATION)),
]
