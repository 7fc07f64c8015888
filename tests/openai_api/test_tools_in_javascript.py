"""A program's own tools by OpenAI's official JavaScript client: rounds, streams and its helper that runs tools."""

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


@pytest.mark.parametrize("way", ["create", "stream", "runTools"])
def test_rounds_with_parallel_calls_are_one_session(program: Program, model: Provider, way: str) -> None:
    model.script(
        Answer(words=["See."], calls=[asks("Bonn", "c1"), asks("Rome", "c2")]),
        Answer(calls=[asks("Oslo", "c3")]),
        Answer(words=["Sunny ", "everywhere."]),
    )
    env = {"BASE_URL": f"{program.site.base_url}/v1", "KEY": program.site.tokens[program.user]}
    done = subprocess.run(
        [NODE, PROGRAM, way], env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    said = json.loads(done.stdout)
    assert [each["role"] for each in said["messages"]] == [
        "user", "assistant", "tool", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert said["messages"][-1]["content"] == "Sunny everywhere."
    [session] = program.sessions()
    assert program.texts(session["id"]) == [
        "Bonn and Rome?", "See.", "sunny in Bonn", "sunny in Rome", "", "sunny in Oslo", "Sunny everywhere.",
    ]  # fmt: skip
    assert len(model.bodies) == 3
    for earlier, later in itertools.pairwise(model.bodies):
        assert extends(later, earlier)
