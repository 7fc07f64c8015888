"""Going on from an earlier place: messages are edited, answers asked for again, versions walked."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, ready, say, thread
from tests.browser.faults import Faults
from tests.browser.stories import walk
from tests.browser.test_journal import resting_place
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

CONFLICT = -32004
WAIT = "Not while an answer is on its way: wait for its end, or stop it"
# Higher than the window.
STORY = "\n\n".join(f"Line {number}." for number in range(40))


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


def editor(page: Page) -> Locator:
    return page.get_by_label("Edit your message")


def button(page: Page, name: str) -> Locator:
    return thread(page).get_by_role("button", name=name, exact=True)


def answers(page: Page) -> Locator:
    """The lines under the answers that are stored."""
    return thread(page).get_by_role("button", name="Details")


def words(page: Page) -> Locator:
    """What is said, by either side."""
    return thread(page).locator(".bubble, .prose")


def versions(page: Page) -> Locator:
    """`2/3`, as it is seen."""
    return thread(page).locator(".version")


def announced(page: Page) -> Locator:
    return page.locator("#announcer")


def scripted(provider: Provider, *texts: str) -> None:
    provider.script(*[Answer([text]) for text in texts])


async def talk(page: Page, *texts: str) -> None:
    """Say these texts, each when the one before has its answer."""
    for text in texts:
        count = await answers(page).count()
        await say(page, text)
        await expect(answers(page)).to_have_count(count + 1)


def said_last(provider: Provider) -> str:
    """Return the last message of the provider's last request."""
    content: str = provider.requests[-1].json["messages"][-1]["content"]
    return content


async def edit(page: Page, text: str) -> None:
    """Write another text in the editor that is open, and send it."""
    await editor(page).fill(text)
    await editor(page).press("Enter")


async def press_edit(page: Page, text: str) -> None:
    """Press "Edit" under the message that has this text."""
    message = thread(page).get_by_role("article").filter(has=page.get_by_text(text, exact=True))
    await message.get_by_role("button", name="Edit").click()


# Edit


async def leaving_the_editor_changes_nothing(page: Page, provider: Provider) -> None:
    count = len(provider.requests)
    for leave in ("Escape", "Cancel"):
        await press_edit(page, "Apples")
        await expect(editor(page)).to_have_value("Apples")
        await expect(editor(page)).to_be_focused()
        await editor(page).fill("Plums")
        if leave == "Escape":
            await editor(page).press("Escape")
        else:
            await button(page, "Cancel").click()
        await expect(editor(page)).to_have_count(0)
        await expect(button(page, "Edit")).to_be_focused()
        await expect(words(page).first).to_have_text("Apples")
    assert len(provider.requests) == count


async def a_blank_edit_cannot_be_sent(page: Page, provider: Provider) -> None:
    await press_edit(page, "Apples")
    await edit(page, "  \n ")
    await expect(button(page, "Send")).to_be_disabled()
    await expect(editor(page)).to_be_focused()


async def an_edit_that_is_not_sent_stays(page: Page, provider: Provider) -> None:
    await editor(page).fill("Plums")
    await page.reload()
    await expect(editor(page)).to_have_value("Plums")
    await page.get_by_role("link", name="New chat").click()
    await expect(editor(page)).to_have_count(0)
    await page.get_by_role("navigation", name="Chats").get_by_role("link", name="Apples").click()
    await expect(editor(page)).to_have_value("Plums")
    await editor(page).press("Escape")
    await page.reload()
    await expect(words(page)).to_have_text(["Apples", "One."])
    await expect(editor(page)).to_have_count(0)


async def one_edit_is_written_at_a_time(page: Page, provider: Provider) -> None:
    await talk(page, "Pears")
    await press_edit(page, "Apples")
    await press_edit(page, "Pears")
    await expect(editor(page)).to_have_value("Pears")
    await editor(page).fill("Figs")
    await press_edit(page, "Apples")
    await expect(editor(page)).to_have_value("Figs")
    await expect(editor(page)).to_be_focused()
    await editor(page).press("Escape")


async def an_edited_message_goes_on_anew(page: Page, provider: Provider) -> None:
    await press_edit(page, "Apples")
    await edit(page, "Plums")
    await expect(box(page)).to_be_focused()
    for _ in range(2):
        await expect(words(page)).to_have_text(["Plums", "Three."])
        await expect(versions(page)).to_have_text(["2/2"])
        await page.reload()
    assert said_last(provider) == "Plums"


async def test_a_message_is_edited_at_last(visitor: Visitor, provider: Provider) -> None:
    """The editor is left, may send nothing blank, outlives a reload, and there is one of it; then an edit is sent."""
    scripted(provider, "One.", "Two.", "Three.")
    page = await visitor.arrive()
    await talk(page, "Apples")
    await walk(
        (
            leaving_the_editor_changes_nothing,
            a_blank_edit_cannot_be_sent,
            an_edit_that_is_not_sent_stays,
            one_edit_is_written_at_a_time,
            an_edited_message_goes_on_anew,
        ),
        page,
        provider,
    )


async def one_that_is_refused_is_in_the_editor_again(page: Page, provider: Provider, faults: Faults) -> None:
    faults.fail("message.edit", CONFLICT)
    await press_edit(page, "Apples")
    await edit(page, "Plums")
    await expect(editor(page)).to_have_value("Plums")
    await expect(page.locator("#toast")).to_have_text("no")
    await editor(page).press("Escape")
    await expect(words(page)).to_have_text(["Apples", "One."])
    faults.stop()


async def one_is_said_once_though_its_answer_was_lost(page: Page, provider: Provider, faults: Faults) -> None:
    faults.hold("message.edit")
    await press_edit(page, "Apples")
    await edit(page, "Plums")
    await expect(words(page)).to_have_text(["Plums", "Two."])
    await page.reload()
    faults.stop()
    await ready(page)
    await expect(words(page)).to_have_text(["Plums", "Two."])
    await expect(versions(page)).to_have_text(["2/2"])
    assert len(provider.requests) == 2


@pytest.mark.thorough
async def test_an_edit_that_fails_or_whose_answer_is_lost(visitor: Visitor, provider: Provider) -> None:
    faults = Faults()
    visitor.prepare(faults.install)
    scripted(provider, "One.", "Two.")
    page = await visitor.arrive()
    await talk(page, "Apples")
    await walk(
        (
            one_that_is_refused_is_in_the_editor_again,
            one_is_said_once_though_its_answer_was_lost,
        ),
        page,
        provider,
        faults,
    )


# Another answer


async def another_answer_stands_beside_the_first(page: Page, provider: Provider) -> None:
    await button(page, "Try again").click()
    await expect(words(page)).to_have_text(["Apples", "Two."])
    await expect(versions(page)).to_have_text(["2/2"])
    await expect(box(page)).to_be_focused()


async def another_answer_to_an_earlier_message_ends_the_line(page: Page, provider: Provider) -> None:
    await expect(answers(page)).to_have_count(1)
    await talk(page, "Pears")
    await button(page, "Try again").first.click()
    await expect(words(page)).to_have_text(["Apples", "Four."])
    await expect(box(page)).to_be_focused()
    await expect(button(page, "Next version")).to_be_disabled()


async def versions_are_walked_forth_and_back(page: Page, provider: Provider) -> None:
    await button(page, "Previous version").click()
    await expect(words(page)).to_have_text(["Apples", "Two.", "Pears", "Three."])
    await expect(announced(page)).to_contain_text("Version 2 of 3")
    await page.reload()
    await expect(words(page)).to_have_text(["Apples", "Two.", "Pears", "Three."])
    await button(page, "Previous version").click()
    await expect(words(page)).to_have_text(["Apples", "One."])
    await expect(button(page, "Previous version")).to_be_disabled()
    for shown in (["Apples", "Two.", "Pears", "Three."], ["Apples", "Four."]):
        await button(page, "Next version").click()
        await expect(words(page)).to_have_text(shown)


async def what_is_said_next_follows_the_version_that_is_shown(page: Page, provider: Provider) -> None:
    await talk(page, "Plums")
    said = [each["content"] for each in provider.requests[-1].json["messages"]][-3:]
    assert said == ["Apples", "Four.", "Plums"]


async def a_new_chat_begins_with_what_was_said_so_far(page: Page, provider: Provider) -> None:
    address = page.url
    await button(page, "New chat from here").first.click()
    await expect(words(page)).to_have_text(["Apples", "Four."])
    assert page.url != address
    await say(page, "Figs")
    await expect(words(page)).to_have_text(["Apples", "Four.", "Figs", "Six."])
    await page.go_back()
    await expect(words(page)).to_have_text(["Apples", "Four.", "Plums", "Five."])


@pytest.mark.thorough
async def test_other_answers_are_versions_that_are_walked(visitor: Visitor, provider: Provider) -> None:
    scripted(provider, "One.", "Two.", "Three.", "Four.", "Five.", "Six.")
    page = await visitor.arrive()
    await talk(page, "Apples")
    await walk(
        (
            another_answer_stands_beside_the_first,
            another_answer_to_an_earlier_message_ends_the_line,
            versions_are_walked_forth_and_back,
            what_is_said_next_follows_the_version_that_is_shown,
            a_new_chat_begins_with_what_was_said_so_far,
        ),
        page,
        provider,
    )


@pytest.mark.thorough
async def test_while_an_answer_is_written_nothing_is_steered(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    page = await visitor.arrive()
    await talk(page, "Apples")
    provider.script(Answer(["Two."], gates={0: gate}))
    await say(page, "Pears")
    for name in ("Edit", "Try again"):
        await expect(button(page, name).first).to_have_attribute("aria-disabled", "true")
        await expect(button(page, name).first).to_have_attribute("title", WAIT)
        await button(page, name).first.click(force=True)  # where the driver would wait for it to be enabled
        await expect(page.locator("#toast")).to_have_text(WAIT)
    await expect(editor(page)).to_have_count(0)
    await box(page).press("ArrowUp")
    await expect(editor(page)).to_have_count(0)
    gate.open()
    await expect(button(page, "Try again")).to_have_count(2)
    await expect(thread(page).locator("[aria-disabled]")).to_have_count(0)


# Versions


@pytest.mark.thorough
async def test_a_version_appears_where_the_one_before_stood(visitor: Visitor, provider: Provider) -> None:
    scripted(provider, STORY, "One.", STORY, f"Two.\n\n{STORY}", STORY)
    page = await visitor.arrive()
    await talk(page, "Apples", "Pears", "Plums")
    await button(page, "Try again").nth(1).click()
    await expect(versions(page)).to_have_text(["2/2"])
    await expect(thread(page)).to_contain_text("Two.")
    place = thread(page).get_by_role("article").nth(3)
    await place.evaluate("node => node.scrollIntoView({block: 'start'})")
    before = await resting_place(place)
    # The buttons are below the screen: the keyboard reaches them, and the answer stays where it is.
    await button(page, "Previous version").evaluate("button => button.click()")
    await expect(versions(page)).to_have_text(["1/2"])
    assert abs(await resting_place(place) - before) < 2
    await button(page, "Next version").evaluate("button => button.click()")
    await expect(versions(page)).to_have_text(["2/2"])
    assert abs(await resting_place(place) - before) < 2


@pytest.mark.thorough
async def test_the_buttons_stay_under_the_pointer_at_the_end(visitor: Visitor, provider: Provider) -> None:
    scripted(provider, f"One.\n\n{STORY}", f"Two.\n\n{STORY}\n\n{STORY}")
    page = await visitor.arrive()
    await talk(page, "Apples")
    await button(page, "Try again").click()
    for there, place in (("Previous version", "1/2"), ("Next version", "2/2")):
        await expect(versions(page)).not_to_have_text([place])
        before = await resting_place(button(page, there))
        await button(page, there).click()
        await expect(versions(page)).to_have_text([place])
        assert abs(await resting_place(button(page, there)) - before) < 2


@pytest.mark.thorough
async def test_the_versions_are_walked_by_keyboard(visitor: Visitor, provider: Provider) -> None:
    scripted(provider, "One.", "Two.", "Three.")
    page = await visitor.arrive()
    await talk(page, "Apples")
    await box(page).press("ArrowUp")
    await expect(editor(page)).to_be_focused()
    await edit(page, "Plums")
    await expect(words(page)).to_have_text(["Plums", "Two."])
    # Keys do not wait, as a click of the driver does, until the answer is stored and the chat may be steered.
    await expect(answers(page)).to_have_count(1)
    await box(page).press("ArrowUp")
    await edit(page, "Pears")
    await expect(words(page)).to_have_text(["Pears", "Three."])
    await expect(answers(page)).to_have_count(1)
    await button(page, "Previous version").focus()
    await page.keyboard.press("Enter")
    await expect(words(page)).to_have_text(["Plums", "Two."])
    await expect(button(page, "Previous version")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(words(page)).to_have_text(["Apples", "One."])
    await expect(button(page, "Next version")).to_be_focused()


# Other tabs and programs


async def a_rating_is_given_and_taken_back(page: Page, other: Page) -> None:
    await button(page, "Good answer").click()
    for tab in (page, other):
        await expect(button(tab, "Good answer")).to_have_attribute("aria-pressed", "true")
    await button(page, "Poor answer").click()
    await expect(button(other, "Poor answer")).to_have_attribute("aria-pressed", "true")
    await expect(button(other, "Good answer")).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await button(page, "Poor answer").click()
    await expect(button(page, "Poor answer")).to_have_attribute("aria-pressed", "false")
    await expect(button(page, "Poor answer")).to_be_focused()


async def the_other_tab_shows_the_line_that_was_chosen(page: Page, other: Page) -> None:
    await box(other).fill("A draft")
    await press_edit(page, "Apples")
    await edit(page, "Plums")
    await expect(words(other)).to_have_text(["Plums", "Two."])
    await button(page, "Previous version").click()
    await expect(words(other)).to_have_text(["Apples", "One."])
    await expect(box(other)).to_have_value("A draft")
    await box(other).fill("")


async def what_is_edited_on_a_line_that_is_left_is_kept(page: Page, other: Page) -> None:
    await talk(page, "Pears")
    await press_edit(other, "Pears")
    await editor(other).fill("Figs")
    await press_edit(page, "Apples")
    await edit(page, "Grapes")
    await expect(words(other)).to_have_text(["Grapes", "Four."])
    await expect(box(other)).to_have_value("Figs")


async def test_another_tab_follows(visitor: Visitor, provider: Provider) -> None:
    scripted(provider, "One.", "Two.", "Three.", "Four.")
    page = await visitor.arrive()
    await talk(page, "Apples")
    other = await visitor.chat(page.url.removeprefix(visitor.site.base_url))
    await walk(
        (
            a_rating_is_given_and_taken_back,
            the_other_tab_shows_the_line_that_was_chosen,
            what_is_edited_on_a_line_that_is_left_is_kept,
        ),
        page,
        other,
    )
