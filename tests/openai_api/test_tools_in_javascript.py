"""A program's own tools by OpenAI's official JavaScript client: rounds, streams and its helper that runs tools.

The suite asks the same by the client for Python: test_tools.py, test_recognition_with_tools.py.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.llm.talking import extends
from tests.openai_api.conftest import Program
from tests.openai_api.weather import asks
from tests.processes import ROOT
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

PROGRAM = Path(__file__).with_name("tools.mjs")
NODE = ROOT / ".venv" / "bin" / "node"
WAYS = ("create", "stream", "runTools")


@pytest.mark.thorough
def test_rounds_with_parallel_calls_are_one_session_in_each_way(program: Program, model: Provider) -> None:
    for _ in WAYS:
        model.script(
            Answer(words=["See."], calls=[asks("Bonn", "c1"), asks("Rome", "c2")]),
            Answer(calls=[asks("Oslo", "c3")]),
            Answer(words=["Sunny ", "everywhere."]),
        )
    env = {"BASE_URL": f"{program.site.base_url}/v1", "KEY": program.site.tokens[program.user]}
    done = subprocess.run([NODE, PROGRAM], env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, text=True)
    for messages in json.loads(done.stdout).values():
        roles = [each["role"] for each in messages]
        assert roles == ["user", "assistant", "tool", "tool", "assistant", "tool", "assistant"]
        assert messages[-1]["content"] == "Sunny everywhere."
    texts = {program.texts(session["id"])[0]: program.texts(session["id"])[1:] for session in program.sessions()}
    rounds = ["See.", "sunny in Bonn", "sunny in Rome", "", "sunny in Oslo", "Sunny everywhere."]
    assert texts == {f"Bonn and Rome, by {way}?": rounds for way in WAYS}
    for number in range(0, 3 * len(WAYS), 3):
        for earlier, later in itertools.pairwise(model.bodies[number : number + 3]):
            assert extends(later, earlier)
