"""Every state of every page, in both themes and both sizes, judged by axe: WCAG 2.2 AA and its best practices.

A page is loaded once for all. A state of both sizes is judged in each of them: by turns, one state is light on the
desktop and dark on the phone, the next the other way round. A state of one size is judged in the light, and by the
rules that are about colour in the dark as well. Where no script draws the page, it has the same HTML in either size: by
turns, one size is judged by all rules, and the other by those that ask how it looks.
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
from tests.browser.states import ACCOUNT, ADMIN, APPROVALS, CHAT, COMMANDS, SUMMARIES, VISITOR, Size, Stage, State
from tests.live import LiveSite
from tests.mail import MailServer
from tests.processes import ROOT
from tests.providers.fixtures import Provider

AXE = ROOT / "node_modules/axe-core/axe.min.js"
Rules = dict[str, Any]
ALL: Rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOUR: Rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# What another size, with another theme, changes of the same HTML.
LOOKS: Rules = {"type": "rule", "values": [*COLOUR["values"], "target-size", "scrollable-region-focusable"]}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, Theme] = ("light", "dark")
Look = tuple[Size, Theme, Rules]
# What moves is judged where it comes to rest; what ends may begin another movement, in what inherits of it.
RUN = """async (rules) => {
  const moving = () =>
    document.getAnimations().filter((one) => one.timeline === document.timeline && one.playState !== "finished");
  do {
    for (const each of moving()) each.finish();
    await new Promise(requestAnimationFrame);
  } while (moving().length > 0);
  const options = { runOnly: rules, resultTypes: ["violations"], iframes: false, preload: false, selectors: false };
  const { violations } = await axe.run(document, options);
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
    """A page. The policy of what it shows, which other tests hold, is off: it lets no script like axe in."""
    context = await browser.new_context(bypass_csp=True)
    context.set_default_timeout(TIMEOUT)
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(
    page: Page, site: LiveSite, provider: Provider, mail: MailServer, rows: dict[str, str]
) -> AsyncIterator[Stage]:
    """The page, of a browser that holds nothing but the site's files."""
    yield Stage(page, Visitor(page.context, site), provider, mail, rows)
    await page.goto("about:blank")
    await forget(page, site.base_url)


def looks(state: State, turn: int, other: Rules = ALL) -> list[Look]:
    """In which sizes and themes a state is judged, and by which rules: `other` are those of one of two sizes.

    Its number decides on themes, and on which size is judged by all rules.
    """
    if len(state.sizes) == 1:
        return [(state.sizes[0], "light", ALL), (state.sizes[0], "dark", COLOUR)]
    return [
        (size, THEMES[(turn + number) % 2], ALL if (turn // 2 + number) % 2 == 0 else other)
        for number, size in enumerate(state.sizes)
    ]


async def violations(page: Page, state: State, turn: int = 0, other: Rules = ALL) -> list[str]:
    """What axe finds in the state that the page is in."""
    found = []
    for (width, height), theme, rules in looks(state, turn, other):
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        if not await page.evaluate("'axe' in window"):
            await page.add_script_tag(path=AXE)
        found += [f"{state.name}, {width}, {theme}: {line}" for line in await page.evaluate(RUN, rules)]
    return found


async def judge(stage: Stage, states: list[State], other: Rules = ALL) -> None:
    found = []
    for turn, state in enumerate(states):
        width, height = state.sizes[0]
        await stage.page.set_viewport_size({"width": width, "height": height})
        await state.build(stage)
        found += await violations(stage.page, state, turn, other)
    assert found == []


async def enter(stage: Stage, *flags: str) -> None:
    """Log in as somebody new, with these flags of a user set."""
    await stage.visitor.log_in()
    for flag in flags:
        sql = f"UPDATE auth_user SET {flag} = %s WHERE username = %s"
        await asyncio.to_thread(stage.visitor.site.database.run, sql, True, stage.visitor.name)


async def test_pages_before_a_login(stage: Stage) -> None:
    await judge(stage, VISITOR, LOOKS)


async def test_the_chat(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, CHAT)


async def test_a_chat_that_is_summarised(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, SUMMARIES)


async def test_calls_that_wait_for_a_person(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, APPROVALS)


async def test_palette_settings_and_picker(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, COMMANDS)


async def test_pages_of_the_account(stage: Stage) -> None:
    await enter(stage)
    await judge(stage, ACCOUNT, LOOKS)


async def test_the_admin(stage: Stage) -> None:
    await enter(stage, "is_staff", "is_superuser")
    await judge(stage, ADMIN, LOOKS)


async def test_a_violation_would_be_found(stage: Stage) -> None:
    await stage.page.set_content(
        '<main><h1>Grey</h1><p style="color: #999; background: #fff">on white</p><img src="x">'
    )
    found = await violations(stage.page, State("bad", stage.open))  # type: ignore[arg-type]  # it is built already
    rules = {line.split(": ")[1] for line in found}
    assert {"color-contrast", "image-alt"} <= rules
