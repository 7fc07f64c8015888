"""A tool server whose calls a person is asked for, for one person's chats alone."""

from __future__ import annotations

import asyncio
import atexit
import json
import subprocess
import sys
from functools import cache
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, thread
from tests.browser.shell import act
from tests.live import LiveSite
from tests.processes import ROOT
from tests.providers.script import Call
from tests.services import end

_MAKE = """
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from sessions_app.models import AgentProfile
AgentProfile.default()
group = Group.objects.create(name={name!r})
User.objects.get(username={name!r}).groups.add(group)
made = AgentProfile.objects.create(name="Tools of {name}", model="openai-chat:tools", order=1)
made.groups.add(group)
call_command(
    *("mcp_server", {name!r}, "--url", {url!r}, "--profiles", made.name),
    *("--ask", "add,weather", "--allow", "picture,count"),
)
"""


@cache
def server_url() -> str:
    """A tool server that lives as long as the tests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tool_servers.python_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    atexit.register(end, process)
    assert process.stdout
    return f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/mcp"


def give_tools(site: LiveSite, user: str) -> None:
    """Let a user choose a profile that has the server's tools."""
    act(site, _MAKE.format(name=user, url=server_url()))


async def arrive_with_tools(visitor: Visitor) -> Page:
    """Open the page of a new chat that is answered with the tools."""
    await visitor.log_in()
    await asyncio.to_thread(give_tools, visitor.site, visitor.name)
    page = await visitor.chat()
    await choose_tools(page)
    return page


async def choose_tools(page: Page) -> None:
    """Have the next new chat answered with the tools, which the page's user was given before it was opened."""
    await page.locator("#picker button").click()
    await page.get_by_role("menuitemradio", name="Tools of").click()
    await expect(page.locator("#picker button")).to_contain_text("Tools of")


def calls(user: str, tool: str, call_id: str = "", **arguments: Any) -> Call:
    """A model's call of one of the server's tools."""
    return Call(f"{user}_{tool}", json.dumps(arguments), call_id)


def question(page: Page) -> Locator:
    """What asks the person."""
    return thread(page).locator(".ask")
