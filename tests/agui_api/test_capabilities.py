"""What clients are told that they can count on: held against AG-UI's own type, and against what is so."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from ag_ui.core import AgentCapabilities
from pydantic import BaseModel

from sessions_app.turns.run import MAX_STEPS
from tests.openai_api.conftest import Program
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider


def capabilities(program: Program) -> bytes:
    headers = {"Authorization": f"Bearer {program.site.tokens[program.user]}"}
    request = urllib.request.Request(f"{program.site.base_url}/api/ag-ui/capabilities", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        body: bytes = answer.read()
    return body


def unknown_fields(model: BaseModel) -> list[str]:
    """The fields that a type does not have: AG-UI's types keep them."""
    inner = [value for value in model.__dict__.values() if isinstance(value, BaseModel)]
    return [*(model.model_extra or {}), *(name for each in inner for name in unknown_fields(each))]


def test_they_are_of_ag_uis_type(program: Program) -> None:
    told = capabilities(program)
    parsed = AgentCapabilities.model_validate_json(told, strict=True)
    assert unknown_fields(parsed) == []
    assert json.loads(told) == parsed.model_dump(mode="json", by_alias=True)


def test_they_tell_what_is_so(program: Program, model: Provider) -> None:
    told: dict[str, Any] = json.loads(capabilities(program))
    program.say("Hello")
    sent = [tool["function"] for tool in model.requests[-1].json["tools"]]
    assert [(each["name"], each["parameters"]) for each in told["tools"]["items"]] == [
        (each["name"], each["parameters"]) for each in sent
    ]
    assert told["execution"]["maxIterations"] == MAX_STEPS
    assert program.site.ws_url.endswith(told["custom"]["websocket"]["path"])
    taken = dict.fromkeys(("image", "pdf", "file"), True) | dict.fromkeys(("audio", "video"), False)
    assert told["multimodal"]["input"] == taken
