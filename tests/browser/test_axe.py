"""Every state of every page, judged by axe: WCAG 2.2 AA and its best practices.

Sizes and themes go by turns: a state is judged in one size by all rules in one theme. What a script draws is judged by
the rules about colour in the other theme as well; pages of HTML are made of the same pieces, which so are seen in all.
The suite asks of the chat and the settings; and that each page keeps the site's policies: test_policies.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.conftest import Visitor
from tests.browser.contexts import TIMEOUT, forget
from tests.browser.shell import act
from tests.browser.states import (
    ACCOUNT,
    ADMIN,
    APPROVALS,
    CHAT,
    COMMANDS,
    MORE_OF_THE_CHAT,
    SETTINGS,
    SUMMARIES,
    VISITOR,
    Stage,
    State,
)
from tests.live import LiveSite
from tests.mail import MailServer
from tests.processes import ROOT
from tests.providers.fixtures import Provider

AXE = ROOT / "node_modules/axe-core/axe.min.js"
Rules = dict[str, Any]
ALL: Rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOUR: Rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, Theme] = ("light", "dark")
# What all pages of admin have alike.
ADMIN_FRAME = "#header, #nav-sidebar"
# What moves is judged where it comes to rest; what ends may begin another movement, in what inherits of it. Of a long
# table or choice the first stand for all, which are made alike.
RUN = """async ([rules, context]) => {
  const moving = () =>
    document.getAnimations().filter((one) => one.timeline === document.timeline && one.playState !== "finished");
  do {
    for (const each of moving()) each.finish();
    await new Promise(requestAnimationFrame);
  } while (moving().length > 0);
  const more = "tbody tr:nth-child(n+6), option:nth-child(n+6):not(:checked)";
  for (const each of document.querySelectorAll(more)) each.remove();
  const options = { runOnly: rules, resultTypes: ["violations"], iframes: false, preload: false, selectors: false };
  const { violations } = await axe.run(context ?? document, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)
  );
}"""


@pytest.fixture(scope="module")
def rows(site: LiveSite) -> dict[str, str]:
    """What there is to look at in admin: the keys of some rows."""
    told = act(site, "from tests.browser.rows import fill; fill()")
    [line] = [line for line in told if line.startswith("rows ")]
    return dict(word.split("=") for word in line.split()[1:])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that has axe."""
    context = await browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT)
    await context.add_init_script(path=AXE)
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(page: Page, site: LiveSite, provider: Provider, mail: MailServer) -> AsyncIterator[Stage]:
    """The page, of a browser that holds nothing but the site's files; nothing in it breaks the site's policies."""
    visitor = Visitor(page.context, site)
    with visitor.watched():
        yield Stage(page, visitor, provider, mail)
    await page.goto("about:blank")
    await forget(page, site.base_url)
    assert visitor.problems == []


@pytest.fixture
def filled(stage: Stage, rows: dict[str, str]) -> Stage:
    """The page of a site at which there is something to look at."""
    stage.rows.update(rows)
    return stage


async def violations(page: Page, state: State, theme: Theme, rules: Rules, known: str = "") -> list[str]:
    """What axe finds in the state that the page is in, but for what is known of other states."""
    await page.emulate_media(color_scheme=theme)
    context = {"include": state.part} if state.part else {"exclude": known} if known else None
    return [f"{state.name}, {theme}: {line}" for line in await page.evaluate(RUN, [rules, context])]


async def judge(stage: Stage, states: list[State], *, drawn: bool = False, known: str = "") -> None:
    """Build and judge the states; `drawn`: by a script; `known`: what is the same in all, and judged in the first."""
    found = []
    for turn, state in enumerate(states):
        width, height = state.sizes[turn // 2 % len(state.sizes)]
        await stage.page.set_viewport_size({"width": width, "height": height})
        await state.build(stage)
        found += await violations(stage.page, state, THEMES[turn % 2], ALL, known if turn else "")
        if drawn:
            found += await violations(stage.page, state, THEMES[(turn + 1) % 2], COLOUR)
    assert found == []


async def enter(stage: Stage, *flags: str) -> None:
    """Log in as somebody new, with these flags of a user set."""
    await stage.visitor.log_in()
    for flag in flags:
        sql = f"UPDATE auth_user SET {flag} = %s WHERE username = %s"
        await asyncio.to_thread(stage.visitor.site.database.run, sql, True, stage.visitor.name)


@pytest.mark.thorough
async def test_pages_before_a_login(filled: Stage) -> None:
    await judge(filled, VISITOR)


async def test_the_chat(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, [*CHAT, SETTINGS], drawn=True)


@pytest.mark.thorough
async def test_more_of_the_chat(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, MORE_OF_THE_CHAT, drawn=True)


@pytest.mark.thorough
async def test_a_chat_that_is_summarised(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, SUMMARIES, drawn=True)


@pytest.mark.thorough
async def test_calls_that_wait_for_a_person(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, APPROVALS, drawn=True)


@pytest.mark.thorough
async def test_palette_settings_and_picker(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, COMMANDS, drawn=True)


@pytest.mark.thorough
async def test_pages_of_the_account(filled: Stage) -> None:
    await enter(filled)
    await judge(filled, ACCOUNT)


@pytest.mark.thorough
async def test_the_admin(filled: Stage) -> None:
    await enter(filled, "is_staff", "is_superuser")
    await judge(filled, ADMIN, known=ADMIN_FRAME)


async def test_a_violation_would_be_found(stage: Stage) -> None:
    await stage.page.set_content(
        '<main><h1>Grey</h1><p style="color: #999; background: #fff">on white</p><img src="x">'
    )
    bad = State("bad", stage.open)  # type: ignore[arg-type]  # it is built already
    rules = {line.split(": ")[1] for line in await violations(stage.page, bad, "light", ALL)}
    assert {"color-contrast", "image-alt"} <= rules
