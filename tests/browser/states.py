"""Every state that a page of the site can be in, each built by one function on a page that the one before has left.

A new state is one line in its list, and a function where it is more than an address.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.async_api import Page, expect

from tests.browser import searching
from tests.browser.approving import calls, choose_tools, give_tools, question
from tests.browser.compacting import SUMMARY, dividers, set_window, summarise, talk
from tests.browser.conftest import Visitor, ready, say, thread
from tests.browser.profiles import give_profiles
from tests.browser.remembering import remember
from tests.browser.rows import ANSWER
from tests.browser.searching import options
from tests.live import PASSWORD
from tests.mail import MailServer
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

Size = tuple[int, int]
DESKTOP: Size = (1440, 900)
PHONE: Size = (390, 844)
DIALOG = "dialog[open]"


@dataclass
class Stage:
    """Where states are built. `rows`: the keys of what is looked at in admin (rows.py)."""

    page: Page
    visitor: Visitor
    provider: Provider
    mail: MailServer
    rows: dict[str, str] = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)

    async def open(self, path: str) -> None:
        """Go to an address; `{name}` in it stands for one of the rows' keys."""
        await self.page.goto(self.visitor.site.base_url + path.format(**self.rows))


Build = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class State:
    """A state by name, how it is built, and the sizes of window in which it is there.

    `part`: what of the page it differs in from the state before; the whole page where it says nothing.
    """

    name: str
    build: Build
    sizes: tuple[Size, ...] = (DESKTOP, PHONE)
    part: str = ""


def at(path: str) -> Build:
    """The page at an address, as it loads."""

    async def build(stage: Stage) -> None:
        await stage.open(path)

    return build


# Before a login


async def wrong_password(stage: Stage) -> None:
    await stage.page.get_by_label("Username").fill("nobody")
    await stage.page.get_by_label("Password").fill("wrong")
    await stage.page.get_by_role("button", name="Log in", exact=True).click()
    await expect(stage.page.get_by_text("The username or the password is wrong.")).to_be_visible()


async def shown_password(stage: Stage) -> None:
    await stage.page.get_by_label("Password").fill("seen by nobody else")
    await stage.page.get_by_role("button", name="Show the password").click()
    await expect(stage.page.get_by_label("Password")).to_have_attribute("type", "text")


async def mail_sent(stage: Stage) -> None:
    await stage.page.get_by_label("E-mail address").fill("anna@example.org")
    await stage.page.get_by_role("button", name="Send the link").click()
    await expect(stage.page.get_by_role("heading", name="Look into your mail")).to_be_visible()


async def new_password(stage: Stage) -> None:
    mail = await asyncio.to_thread(stage.mail.next)
    link = re.search(r"http://[^/]+(/\S+)", mail.get_content())
    assert link
    await stage.open(link[1])
    await expect(stage.page.get_by_role("heading", name="Set a new password")).to_be_visible()


async def refused(stage: Stage) -> None:
    """A form without its token, to a page that is not for it."""
    await stage.open("/accounts/login/")
    script = """() => {
      const form = document.createElement("form");
      form.method = "post";
      form.action = "/";
      document.body.append(form);
      form.submit();
    }"""
    async with stage.page.expect_navigation():
        await stage.page.evaluate(script)
    await expect(stage.page.get_by_role("heading", name="This request was refused")).to_be_visible()


async def too_large(stage: Stage) -> None:
    """What the server answers itself."""
    script = """() => {
      const form = document.createElement("form");
      form.method = "post";
      form.append(Object.assign(document.createElement("textarea"), { name: "text", value: "x".repeat(4e6) }));
      document.body.append(form);
      form.submit();
    }"""
    async with stage.page.expect_navigation():
        await stage.page.evaluate(script)
    await expect(stage.page.get_by_role("heading", name="This is too large")).to_be_visible()


VISITOR = [
    State("log in", at("/accounts/login/")),
    State("wrong password", wrong_password),
    State("shown password", shown_password),
    State("sign up", at("/accounts/signup/")),
    State("reset", at("/accounts/password_reset/")),
    State("reset, mail sent", mail_sent),
    State("reset, new password", new_password),
    State("404", at("/nothing-is-here")),
    State("shared chat", at("{shared}")),
    State("nothing shared", at("/share/guessed/")),
    State("CSRF", refused),
    State("413", too_large),
]

# The chat


async def empty(stage: Stage) -> None:
    await stage.open("/")
    await ready(stage.page)


async def answered(stage: Stage) -> None:
    calculate = Call("calculator", '{"expression": "6 * 7"}')
    thought = "A table has rows."
    stage.provider.script(Answer(reasoning=[thought], calls=[calculate]), Answer(words=[ANSWER]))
    await say(stage.page, "What is a table?\n\n```\na | b\n```")
    await expect(thread(stage.page).locator("table")).to_be_visible()
    await expect(stage.page.get_by_role("button", name="Stop the answer")).to_be_hidden()


async def chat_menu(stage: Stage) -> None:
    await stage.page.get_by_role("button", name="Options of this chat").click()
    await expect(stage.page.get_by_role("menuitem", name="Delete")).to_be_visible()


async def delete_dialog(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await chat_menu(stage)
    await stage.page.get_by_role("menuitem", name="Delete").click()
    await expect(stage.page.get_by_role("dialog")).to_be_visible()


async def usage_dialog(stage: Stage) -> None:
    await empty(stage)
    await answered(stage)
    await chat_menu(stage)
    await stage.page.get_by_role("menuitem", name="Usage").click()
    await expect(stage.page.get_by_role("dialog", name="Usage of this chat")).to_be_visible()


async def share_dialog(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await chat_menu(stage)
    await stage.page.get_by_role("menuitem", name="Share").click()
    await stage.page.get_by_role("button", name="Make a link").click()
    await expect(stage.page.get_by_role("textbox", name="The link made")).to_be_visible()


async def editing(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await expect(stage.page.get_by_role("dialog")).to_be_hidden()
    await thread(stage.page).get_by_role("button", name="Edit").first.click()
    await expect(stage.page.get_by_label("Edit your message")).to_be_visible()


async def versions(stage: Stage) -> None:
    stage.provider.script(Answer(words=["Another answer."]))
    await stage.page.get_by_label("Edit your message").fill("And in short?")
    await stage.page.get_by_label("Edit your message").press("Enter")
    await expect(thread(stage.page)).to_contain_text("Another answer.")
    await expect(stage.page.get_by_role("button", name="Stop the answer")).to_be_hidden()


async def failed(stage: Stage) -> None:
    stage.provider.script(Answer(status=500))
    await say(stage.page, "Again")
    await expect(stage.page.get_by_role("button", name="Try again").last).to_be_visible()


async def streaming(stage: Stage) -> None:
    stage.provider.script(Answer(words=["One ", "two ", "three."], gates={2: stage.gate}))
    await say(stage.page, "Count")
    await expect(thread(stage.page)).to_contain_text("One two")


async def queued(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await streaming(stage)
    await say(stage.page, "And then?")
    await expect(stage.page.get_by_text("And then?")).to_be_visible()


async def drawer(stage: Stage) -> None:
    stage.gate.open()
    await expect(thread(stage.page)).to_contain_text("three.")
    await expect(stage.page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await stage.page.get_by_role("button", name="Chats and account").click()
    await expect(stage.page.get_by_role("navigation", name="Chats")).to_be_visible()


async def account_menu(stage: Stage) -> None:
    await drawer(stage)
    await stage.page.get_by_role("button", name=stage.visitor.name).click()
    await expect(stage.page.get_by_role("button", name="Settings")).to_be_visible()


async def told(stage: Stage) -> None:
    """All that was said, as it is loaded, with a note in the thread, opened, and a proposal under the answer."""
    await asyncio.to_thread(remember, stage.visitor.site, stage.visitor.name, "Eats no meat.")
    stage.provider.script(Answer(calls=[Call("remember", '{"text": "Is called Ada."}')]), Answer(words=["Hello Ada."]))
    await stage.page.reload()
    await ready(stage.page)
    await say(stage.page, "I am Ada.")
    await expect(thread(stage.page).get_by_role("button", name="Save")).to_be_visible()
    await thread(stage.page).get_by_text("Memory updated").click()
    await expect(thread(stage.page).get_by_text("Eats no meat.")).to_be_visible()


CHAT = [
    State("empty chat", empty),
    State("rich answer", answered, (DESKTOP,)),
    State("menu of a chat", chat_menu, (DESKTOP,), part="#menu"),
    State("question before deleting", delete_dialog, part=DIALOG),
    State("message being edited", editing, part="#main"),
    State("versions", versions, part="#main"),
    State("failed answer", failed, part="#main"),
    State("answer that streams", streaming, part="#main"),
    State("list of chats on the phone", drawer, (PHONE,)),
]
# What is made of the same pieces.
MORE_OF_THE_CHAT = [
    State("usage", usage_dialog, part=DIALOG),
    State("sharing", share_dialog, part=DIALOG),
    State("message that waits", queued, part="#main"),
    State("menu of the account", account_menu, (PHONE,), part="#account-menu"),
    State("memory in the chat", told, (PHONE,), part="#main"),
]

# A chat that is summarised


async def summary_to_come(stage: Stage) -> None:
    await stage.open("/")
    await ready(stage.page)
    await talk(stage.page, stage.provider, 1)
    stage.gate = Gate()
    stage.provider.script(Answer(words=[SUMMARY], gates={0: stage.gate}))
    await summarise(stage.page)
    await expect(thread(stage.page)).to_contain_text("Summarising the earlier part of this chat")


async def summary(stage: Stage) -> None:
    stage.gate.open()
    await dividers(stage.page).locator("summary").click()
    await expect(dividers(stage.page).locator("li").first).to_be_visible()
    await expect(dividers(stage.page).get_by_role("button", name="Details")).to_be_visible()


async def nothing_to_summarise(stage: Stage) -> None:
    await stage.page.get_by_role("button", name="Options of this chat").click()
    await expect(stage.page.get_by_text("Nothing was said since the last summary")).to_be_visible()


async def edited_summary(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await dividers(stage.page).get_by_role("button", name="Edit").click()
    await expect(stage.page.get_by_label("Edit the summary")).to_be_visible()


async def undone_summary(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await dividers(stage.page).get_by_role("button", name="Use the whole chat").click()
    await expect(stage.page.get_by_role("button", name="Summarise again")).to_be_visible()


async def failed_summary(stage: Stage) -> None:
    stage.provider.script(Answer(status=500))
    await stage.page.get_by_role("button", name="Summarise again").click()
    await expect(thread(stage.page)).to_contain_text("could not be summarised")


async def full_window(stage: Stage) -> None:
    await set_window(stage.visitor.site, 4_000)
    stage.provider.script(Answer(["Nearly full."], counts={"prompt_tokens": 2_950, "completion_tokens": 1}))
    await say(stage.page, "How long?")
    await expect(stage.page.get_by_role("button", name="Summarise now")).to_be_visible()


async def message_too_large(stage: Stage) -> None:
    await say(stage.page, "word " * 4_000)
    await expect(stage.page.get_by_text("tokens too long for the model")).to_be_visible()
    await set_window(stage.visitor.site, None)


SUMMARIES = [
    State("summary to come", summary_to_come),
    State("summary", summary, part="#main"),
    State("nothing to summarise", nothing_to_summarise, (DESKTOP,), part="#menu"),
    State("summary being edited", edited_summary, part="#main"),
    State("summary that was undone", undone_summary, part="#main"),
    State("summary that failed", failed_summary, part="#main"),
    State("window nearly full", full_window, part="#main"),
    State("message too large for the window", message_too_large, part="#main"),
]

# The palette, the settings, the choice of a model


async def palette(stage: Stage) -> None:
    stage.provider.script(Answer(words=["All about **pears**."]))
    await stage.open("/")
    await ready(stage.page)
    await say(stage.page, "Pears?")
    await expect(thread(stage.page)).to_contain_text("All about pears.")
    await stage.page.keyboard.press("Control+k")
    await expect(options(stage.page, "Do").first).to_be_visible()


async def hits(stage: Stage) -> None:
    await searching.field(stage.page).fill("pears")
    await expect(options(stage.page, "In this chat").first).to_be_visible()


async def nothing_found(stage: Stage) -> None:
    await searching.field(stage.page).fill("xyzzy")
    await expect(stage.page.get_by_text("Nothing found for")).to_be_visible()


async def found(stage: Stage) -> None:
    await hits(stage)
    await options(stage.page, "In this chat").first.click()
    await expect(thread(stage.page).locator(".found")).to_be_visible()


async def shortcuts(stage: Stage) -> None:
    await stage.page.keyboard.press("Control+/")
    await expect(stage.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


async def settings(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await stage.page.keyboard.press("Control+k")
    await searching.field(stage.page).fill("settings")
    await searching.field(stage.page).press("Enter")
    await expect(stage.page.get_by_role("dialog", name="Settings")).to_be_visible()


def section(name: str) -> Build:
    async def build(stage: Stage) -> None:
        dialog = stage.page.get_by_role("dialog", name="Settings")
        await dialog.get_by_role("button", name=name).click()
        await expect(dialog.get_by_role("region", name=name)).to_be_visible()

    return build


async def memories(stage: Stage) -> None:
    """Two memories, one of them being edited, and one that was deleted."""
    region = stage.page.get_by_role("region", name="Memory")
    for text in ("Is called Ada.", "Eats no meat.", "Lives in Bern."):
        await region.get_by_label("Add a memory").fill(text)
        await region.get_by_label("Add a memory").press("Enter")
        await expect(region.get_by_text(text)).to_be_visible()
    await region.get_by_role("button", name="Delete “Lives in Bern.”").click()
    await expect(region.get_by_role("button", name="Undo")).to_be_focused()
    await region.get_by_role("button", name="Edit “Eats no meat.”").click()
    await expect(region.get_by_label("Edit the memory")).to_be_focused()


async def archived(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await stage.page.get_by_role("button", name="Options of this chat").click()
    await stage.page.get_by_role("menuitem", name="Archive").click()
    await expect(stage.page.get_by_role("button", name="Undo")).to_be_visible()


async def picker(stage: Stage) -> None:
    await asyncio.to_thread(give_profiles, stage.visitor.site, stage.visitor.name)
    await stage.page.reload()
    await stage.page.locator("#picker button").click()
    await expect(stage.page.get_by_role("menuitemradio", name="Quick")).to_be_visible()


async def picker_sheet(stage: Stage) -> None:
    await stage.page.keyboard.press("Escape")
    await stage.page.locator("#picker button").click()
    await expect(stage.page.get_by_role("dialog", name="Model")).to_be_visible()


async def forbidden_profile(stage: Stage) -> None:
    await stage.page.get_by_role("menuitemradio", name="Quick").click()
    await expect(stage.page.locator("#picker")).to_contain_text("Quick")
    await asyncio.to_thread(stage.visitor.site.database.run, "DELETE FROM auth_user_groups")
    await stage.page.reload()
    await expect(stage.page.get_by_role("button", name="Choose another")).to_be_visible()


SETTINGS = State("settings", settings, part=DIALOG)
COMMANDS = [
    State("palette", palette, part=DIALOG),
    State("hits", hits, part=DIALOG),
    State("nothing found", nothing_found, part=DIALOG),
    State("place of a hit", found, part="#main"),
    State("shortcuts", shortcuts, part=DIALOG),
    SETTINGS,
    State("instructions", section("Instructions"), part=DIALOG),
    State("memory, empty", section("Memory"), part=DIALOG),
    State("memory", memories, part=DIALOG),
    State("account in the settings", section("Account"), part=DIALOG),
    State("archived chat", archived, part="#main, #toast"),
    State("picker", picker, part="#menu"),
    State("picker on a phone", picker_sheet, (PHONE,), part=DIALOG),
    State("model no longer offered", forbidden_profile),
]

# The account


async def new_token(stage: Stage) -> None:
    await stage.open("/accounts/tokens/")
    await stage.page.get_by_label("What is it for?").fill("laptop")
    await stage.page.get_by_role("button", name="Make a token").click()
    await expect(stage.page.get_by_text("It will not be shown again.")).to_be_visible()


async def second_token(stage: Stage) -> None:
    await stage.page.get_by_label("What is it for?").fill("laptop")
    await stage.page.get_by_role("button", name="Make a token").click()
    await expect(stage.page.get_by_text("You have a token of this name.")).to_be_visible()


async def token_to_revoke(stage: Stage) -> None:
    await stage.page.get_by_role("link", name="Revoke laptop").click()
    await expect(stage.page.get_by_role("heading", name="Revoke “laptop”?")).to_be_visible()


async def wrong_old_password(stage: Stage) -> None:
    await stage.page.get_by_label("Old password").fill("wrong")
    await stage.page.get_by_label("New password").fill(PASSWORD)
    await stage.page.get_by_role("button", name="Change password").click()
    await expect(stage.page.get_by_text("The password is wrong.")).to_be_visible()


async def new_app(stage: Stage) -> None:
    """An authenticator app that is set up, once it is known that it is its user."""
    await stage.open("/accounts/security/app/")
    if await stage.page.get_by_role("heading", name="Is it you?").count():
        await stage.page.get_by_label("Password").fill(PASSWORD)
        await stage.page.get_by_role("button", name="Go on").click()
    await expect(stage.page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()


async def wrong_code(stage: Stage) -> None:
    await stage.page.get_by_role("textbox", name="Code").fill("000000")
    await stage.page.get_by_role("button", name="Use this app").click()
    await expect(stage.page.get_by_text("That is not the code that the app should show.")).to_be_visible()


async def recovery_codes(stage: Stage) -> None:
    secret = await stage.page.locator("#secret").inner_text()
    await stage.page.get_by_role("textbox", name="Code").fill(
        format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    )
    await stage.page.get_by_role("button", name="Use this app").click()
    await expect(stage.page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()


async def asked_for_deletion(stage: Stage) -> None:
    await stage.page.get_by_label(f"Type {stage.visitor.name} to confirm").fill(stage.visitor.name)
    await stage.page.get_by_label("Password").fill(PASSWORD)
    await stage.page.get_by_role("button", name="Delete my account").click()
    await expect(stage.page.get_by_text("Until then you can change your mind.")).to_be_visible()


async def kept_account(stage: Stage) -> None:
    await stage.open("/accounts/delete/")
    await stage.page.get_by_role("button", name="Keep my account").click()
    await expect(stage.page.get_by_text("Your account will not be deleted.")).to_be_visible()


async def shared_links(stage: Stage) -> None:
    move = "UPDATE sessions_app_share SET owner_id = (SELECT id FROM auth_user WHERE username = %s)"
    await asyncio.to_thread(stage.visitor.site.database.run, move, stage.visitor.name)
    await stage.open("/accounts/shares/")
    await expect(stage.page.get_by_role("button", name="Revoke").first).to_be_visible()


ACCOUNT = [
    State("security", at("/accounts/security/")),
    State("is it you?", at("/accounts/security/confirm/")),
    State("new app", new_app),
    State("new app, wrong code", wrong_code),
    State("recovery codes", recovery_codes),
    State("security, confirmed, with an app", at("/accounts/security/")),
    State("tokens", at("/accounts/tokens/")),
    State("new token", new_token),
    State("second token of one name", second_token),
    State("token to revoke", token_to_revoke),
    State("no shared links", at("/accounts/shares/")),
    State("shared links", shared_links),
    State("delete chats or account", at("/accounts/delete/")),
    State("delete my account?", at("/accounts/delete/account/")),
    State("account to be deleted", asked_for_deletion),
    State("another page of such an account", at("/accounts/logins/")),
    State("account that is kept", kept_account),
    State("tool servers", at("/accounts/tool-servers/")),
    State("password", at("/accounts/password_change/")),
    State("wrong old password", wrong_old_password),
    State("e-mail address", at("/accounts/email/")),
    State("log out", at("/accounts/logout/")),
    State("403", at("/accounts/login/?next=/admin/")),
]

# The admin, as a superuser

_OURS, _DJANGOS = "/admin/sessions_app", "/admin/auth"


async def console(stage: Stage) -> None:
    await stage.open("/admin/")
    await stage.page.get_by_text("The same as a table").click()


async def bad_profile(stage: Stage) -> None:
    await stage.open(f"{_OURS}/agentprofile/{{profile}}/change/")
    await stage.page.get_by_label("Model:").fill("nobody:none")
    await stage.page.get_by_role("button", name="Save", exact=True).click()
    await expect(stage.page.get_by_text("Please correct the error below.")).to_be_visible()


async def arguments(stage: Stage) -> None:
    await stage.open(f"{_OURS}/toolserver/{{server}}/tools/")
    await stage.page.locator("summary", has_text="Arguments").first.click()


async def secret(stage: Stage) -> None:
    await stage.open(f"{_OURS}/webhook/{{webhook}}/change/")
    await stage.page.get_by_role("button", name="Make a new secret").click()


ADMIN = [
    State("console, days as a table as well", console),
    State("sessions, narrowed", at(f"{_OURS}/chatsession/?q=table&state=failed&owner={{user}}")),
    State("session", at(f"{_OURS}/chatsession/{{session}}/change/")),
    State("session, history", at(f"{_OURS}/chatsession/{{session}}/history/")),
    State("turn", at(f"{_OURS}/turn/{{turn}}/change/")),
    State("ledger", at(f"{_OURS}/turn/ledger/")),
    State("profile with an error", bad_profile),
    State("profile, applying", at(f"{_OURS}/agentprofile/{{profile}}/apply/")),
    State("tool server", at(f"{_OURS}/toolserver/{{server}}/change/")),
    State("tool server, arguments", arguments),
    State("what groups may", at(f"{_OURS}/featurerule/")),
    State("webhook, secret", secret),
    State("user", at(f"{_DJANGOS}/user/{{user}}/change/")),
    State("user, deletion", at(f"{_DJANGOS}/user/{{user}}/delete/")),
]

# Calls of tools that wait for a person


async def asked(stage: Stage) -> None:
    page, name = stage.page, stage.visitor.name
    await asyncio.to_thread(give_tools, stage.visitor.site, name)
    await stage.open("/")
    await ready(page)
    await choose_tools(page)
    call = calls(name, "weather", city="Oslo")
    stage.provider.script(Answer(["I would ask for the weather."], calls=[call]), Answer(["It is clear."]))
    await say(page, "Look out")
    await expect(question(page)).to_be_visible()


async def asked_in_full(stage: Stage) -> None:
    await question(stage.page).get_by_text("The call in full").click()
    await expect(question(stage.page).locator("pre")).to_be_visible()


async def being_refused(stage: Stage) -> None:
    await question(stage.page).get_by_role("button", name="Refuse …").click()
    await expect(question(stage.page).locator("textarea")).to_be_focused()


async def asked_for_several(stage: Stage) -> None:
    name = stage.visitor.name
    await question(stage.page).get_by_role("button", name="Refuse", exact=True).click()
    await expect(thread(stage.page)).to_contain_text("It is clear.")
    made = [calls(name, "add", "first", a=1, b=2), calls(name, "weather", "second", city="Bergen")]
    stage.provider.script(Answer(calls=made))
    await say(stage.page, "Do both")
    choice = question(stage.page).get_by_role("group", name="weather")
    await choice.get_by_label("Refuse").check()
    await expect(choice.get_by_label("What should be done instead?")).to_be_visible()


APPROVALS = [
    State("a call that waits for a person", asked),
    State("such a call in full", asked_in_full, part="#main"),
    State("a refusal with a note", being_refused, part="#main"),
    State("several calls that wait", asked_for_several, part="#main"),
]
