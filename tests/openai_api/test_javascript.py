"""OpenAI's official client for JavaScript, unmodified, against a real site.

The suite asks the same by the client for Python, and has that for JavaScript in test_javascript_chat.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.extraction import samples
from tests.llm.talking import extends
from tests.openai_api.conftest import Program
from tests.openai_api.weather import asks
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

NODE = Path(sys.executable).parent / "node"
PROGRAM = Path(__file__).parent / "responses.mjs"


@pytest.mark.thorough
def test_a_program_in_javascript_has_responses_and_conversations(program: Program, model: Provider) -> None:
    slow = Answer(words=["one ", "two"], gates={1: Gate()})
    answers = {number: Answer(words=[f"A{number}"]) for number in (1, 2, 3, 5, 6)}
    in_order = [*(answers[number] for number in (1, 2, 3)), slow, answers[5], answers[6]]
    looked = [Answer(words=[word]) for word in ("A8", "A9")]
    model.script(*in_order, Answer(calls=[asks("Rome")]), Answer(words=["Sunny."]), *looked)
    token = program.site.tokens[program.user]
    picture = b64encode(samples.picture()).decode()
    command = [str(NODE), str(PROGRAM), f"{program.site.base_url}/v1", token, picture]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    sequence = told.pop("sequence")
    assert sequence == list(range(len(sequence)))
    assert told == {
        "answer": "A1",
        "metadata": {"from": "node"},
        "streamed": ["A2"],
        "helped": "A3",
        "retrieved": "A3",
        "items": ["Q1", "A1", "Q2", "A2", "Q3"],
        "begun": "in_progress",
        "cancelled": "cancelled",
        "missing": True,
        "gone": "A5",
        "topic": "node",
        "listed": 2,
        "told": "Sunny.",
        "looked": ["input_image"],
        "chat": "A9",
        "refused": [404, "model_not_found"],
    }
    assert extends(model.bodies[-1], model.bodies[-2])
