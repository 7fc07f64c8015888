"""The addresses of OpenAI's API, and what answers them."""

from __future__ import annotations

from sessions_app.http_api.application import Route
from sessions_app.openai_api import chat, models

ROOT = "/v1/"

ROUTES = [
    Route("GET", f"{ROOT}models", models.listing),
    Route("GET", f"{ROOT}models/{{name}}", models.one),
    Route("POST", f"{ROOT}chat/completions", chat.complete),
]
