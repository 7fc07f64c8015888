"""`manage.py mcp_server`: tool servers in an operator's scripts."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sessions_app.models import AgentProfile, ToolServer, ToolServerTool

PYTHON = f"{sys.executable} {Path(__file__).parent / 'hostile_stdio.py'}"
AWAY = "http://127.0.0.1:1/mcp"

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command("mcp_server", *arguments, stdout=printed)
    return printed.getvalue()


def standings() -> dict[str, str]:
    """The tools that are not off, by their full names."""
    return dict(ToolServerTool.objects.exclude(standing="off").values_list("full_name", "standing"))


def test_a_server_is_made_and_what_it_offers_is_printed(python_url: str) -> None:
    printed = run("p", "--url", python_url, "--profiles", "Default", "--allow", "add,who-am.i", "--ask", "weather")
    assert "p_add\tallowed\tAdd two numbers.\n" in printed
    assert "p_fail\toff\tFail.\n" in printed
    assert standings() == {"p_add": "allowed", "p_who_am_i": "allowed", "p_weather": "ask"}
    assert ToolServer.objects.get().profiles.get() == AgentProfile.default()


def test_what_is_given_is_what_is_so_afterwards(python_url: str) -> None:
    run("p", "--url", python_url, "--profiles", "Default", "--allow", "add", "--header", "X-Key: abc")
    assert ToolServer.objects.get().headers == {"X-Key": "abc"}
    assert "abc" not in ToolServer.objects.get().sealed_headers
    run("p", "--url", f"{python_url}?x=1", "--profiles", "Default", "--ask", "p_weather")
    assert standings() == {"p_weather": "ask"}
    assert ToolServer.objects.get().headers == {"X-Key": "abc"}
    run("p", "--url", python_url, "--profiles", "Default", "--header", "")
    assert (standings(), ToolServer.objects.get().headers) == ({}, {})


def test_a_server_that_is_away_loses_nothing(python_url: str) -> None:
    run("p", "--url", python_url, "--profiles", "Default", "--allow", "add,weather")
    with pytest.raises(CommandError) as refused:
        run("p", "--url", AWAY, "--profiles", "Default", "--allow", "add")
    assert str(refused.value) == (
        "The tool server p could not be reached. What was given is stored; of its tools, what was known before."
    )
    assert standings() == {"p_add": "allowed"}
    assert ToolServer.objects.get().url == AWAY


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["p", "--url", "ftp://x", "--profiles", "Default"], "This must be an address such as"),
        (["p.q", "--url", AWAY, "--profiles", "Default"], "letters, digits, underscores and hyphens"),
        (["p", "--url", AWAY, "--profiles", "Default,Other"], "There is no profile 'Other'."),
        (["p", "--url", AWAY, "--profiles", "Default", "--header", "abc"], "--header: it must be entered like"),
        (["p", "--url", AWAY, "--profiles", "Default", "--header", "Host: x"], "Host is set by this site itself"),
        (["p", "--url", AWAY, "--profiles", "Default", "--allow", "a", "--ask", "a"], "both allowed and asked for"),
        (["p", "--url", AWAY, "--command", "x", "--profiles", "Default"], "not allowed with"),
        (["p", "--profiles", "Default"], "one of the arguments --url --command is required"),
        (["p", "--command", "x", "--profiles", "Default", "--header", "A: b"], "with a command gets no headers"),
    ],
)
def test_what_cannot_be_so_is_refused_in_a_sentence(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert not ToolServer.objects.exists()


def test_a_tool_that_is_not_offered_is_refused_and_nothing_is_changed(python_url: str) -> None:
    run("p", "--url", python_url, "--profiles", "Default", "--allow", "add")
    with pytest.raises(CommandError, match=r"There is no tool 'gone'\. The server offers add, cancelled_calls"):
        run("p", "--url", python_url, "--profiles", "Default", "--allow", "gone")
    assert standings() == {"p_add": "allowed"}


def test_headers_do_not_go_to_another_address(python_url: str) -> None:
    run("p", "--url", python_url, "--profiles", "Default", "--header", "X-Key: abc")
    with pytest.raises(CommandError, match="give --header again"):
        run("p", "--url", AWAY, "--profiles", "Default")
    assert ToolServer.objects.get().url == python_url


def test_a_process_without_tools_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="refused the call"):
        run("p", "--command", PYTHON, "--profiles", "Default")
    assert ToolServer.objects.get().command == PYTHON
