"""The site's policies in a browser: the pages work under them, and a script that breaks them is refused."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# What a script that got in would try, each refused by the browser with a TypeError.
MAKES_HTML = [
    "document.body.innerHTML = '<b>in</b>'",
    "document.body.insertAdjacentHTML('beforeend', '<b>in</b>')",
    "document.write('<b>in</b>')",
    "document.createElement('iframe').srcdoc = '<b>in</b>'",
    "document.createElement('script').src = '/static/sessions_app/js/main.js'",
    "document.createElement('script').text = 'window.in = 1'",
    "new DOMParser().parseFromString('<b>in</b>', 'text/html')",
    "trustedTypes.createPolicy('another', { createHTML: (html) => html })",
    "trustedTypes.createPolicy('hermes-markdown', { createHTML: (html) => html })",
]
# Pages whose scripts are Django's own, jQuery among them, which makes HTML of text as soon as it is loaded …
WITH_JQUERY = [
    *("auth/user/{user}/change/", "sessions_app/agentprofile/{profile}/change/", "sessions_app/chatsession/"),
    "sessions_app/turn/{turn}/change/",
]
# … and others; the rest of them: test_axe.py.
WITHOUT = ["", "sessions_app/turn/ledger/", "nothing-is-here/", "sessions_app/chatsession/{session}/history/"]
# The site's own pages, beside the chat.
PAGES = [
    *("login", "signup", "password_reset", "security", "tokens", "shares", "logins", "tool-servers"),
    *("password_change", "email", "logout"),
]
ROWS = """
SELECT owner.id, chat.id, turn.id, chat.profile_id FROM auth_user AS owner
JOIN sessions_app_chatsession AS chat ON chat.owner_id = owner.id
JOIN sessions_app_turn AS turn ON turn.chat_session_id = chat.id
WHERE owner.username = %s
"""


async def refusal(page: Page, script: str) -> str:
    """The name of the error that a script of the page's own ends with; empty where it works."""
    tried = f"() => {{ try {{ {script} }} catch (error) {{ return error.name }} return '' }}"
    name: str = await page.evaluate(tried)
    return name


async def test_no_page_makes_html_but_of_markdown(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["**bold** `code`"]))
    page = await visitor.arrive()
    await say(page, "Go on")
    await expect(thread(page).locator("strong")).to_have_text("bold")
    await page.reload()
    await expect(thread(page).locator("strong")).to_have_text("bold")
    assert visitor.problems == []
    for script in MAKES_HTML:
        assert await refusal(page, script) == "TypeError", script
    visitor.problems.clear()
    for path in (*(f"/accounts/{name}/" for name in PAGES), "/nothing-is-here"):
        await page.goto(visitor.site.base_url + path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert visitor.problems == [], path
        assert await refusal(page, MAKES_HTML[0]) == "TypeError", path
        visitor.problems.clear()


@pytest.mark.thorough
async def test_admin_works(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await say(page, "Go on")
    await expect(thread(page).locator(".prose")).to_have_count(1)
    run = visitor.site.database.run
    run("UPDATE auth_user SET is_staff = true, is_superuser = true WHERE username = %s", visitor.name)
    (found,) = run(ROWS, visitor.name)
    ids = dict(zip(("user", "session", "turn", "profile"), found, strict=True))
    for path in WITH_JQUERY + WITHOUT:
        await page.goto(f"{visitor.site.base_url}/admin/{path}".format(**ids))
        await expect(page.get_by_role("heading", level=1).first).to_be_visible()
        assert visitor.problems == [], path
        assert await refusal(page, MAKES_HTML[0]) == ("" if path in WITH_JQUERY else "TypeError"), path
        visitor.problems.clear()
