"""The addresses of OpenAI's API, and what answers them."""

from __future__ import annotations

from sessions_app.http_api.application import Route
from sessions_app.openai_api import chat, conversations, models, responses

ROOT = "/v1/"

ROUTES = [
    Route("GET", f"{ROOT}models", models.listing),
    Route("GET", f"{ROOT}models/{{name}}", models.one),
    Route("POST", f"{ROOT}chat/completions", chat.complete),
    Route("POST", f"{ROOT}responses", responses.create),
    Route("POST", f"{ROOT}responses/{{name}}/cancel", responses.cancel),
    Route("GET", f"{ROOT}responses/{{name}}/input_items", responses.input_items),
    Route("GET", f"{ROOT}responses/{{name}}", responses.retrieve),
    Route("DELETE", f"{ROOT}responses/{{name}}", responses.delete),
    Route("POST", f"{ROOT}conversations", conversations.create),
    Route("GET", f"{ROOT}conversations/{{name}}/items", conversations.items),
    Route("GET", f"{ROOT}conversations/{{name}}", conversations.retrieve),
]
