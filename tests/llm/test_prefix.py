"""The frozen prefix and its canonical bytes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.llm.tools.registry import site_tools

FREEZE = (
    "from sessions_app.llm.tools.registry import site_tools;"
    "print(site_tools().freeze('Grüße 🎈', {'search_chats', 'calculator'}).to_json())"
)


def test_json_and_back() -> None:
    prefix = site_tools().freeze("Grüße 🎈", ["calculator", "search_chats"])
    assert FrozenPrefix.from_json(prefix.to_json()) == prefix


def test_the_order_of_names_does_not_matter() -> None:
    assert site_tools().freeze("x", ["search_chats", "calculator"]) == site_tools().freeze(
        "x", ["calculator", "search_chats", "calculator"]
    )


def test_every_process_writes_the_same_bytes() -> None:
    """Hash seeds differ between processes; sets and dicts must not show."""
    written = {
        subprocess.run(
            [sys.executable, "-c", FREEZE], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert written == {site_tools().freeze("Grüße 🎈", ["calculator", "search_chats"]).to_json().encode() + b"\n"}


def test_a_tool_that_is_no_more_stays_in_its_prefix() -> None:
    gone = FrozenPrefix("x", (ToolSpec("gone", "Was here once.", '{"type":"object"}'),))
    assert FrozenPrefix.from_json(gone.to_json()) == gone


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"system_prompt":"x","tools":[{}]}', "null"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        FrozenPrefix.from_json(text)
