"""The button "Try it" of a profile's page in admin: says at once whether the model of the form answers."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Visitor
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


async def test_a_model_is_tried_before_it_is_saved(visitor: Visitor, provider: Provider) -> None:
    await visitor.log_in()
    visitor.site.database.run(
        "UPDATE auth_user SET is_staff = %s, is_superuser = %s WHERE username = %s", True, True, visitor.name
    )
    page = await visitor.page("/admin/sessions_app/agentprofile/add/")
    await page.get_by_label("Model:", exact=True).fill("openai-chat:mine")
    await page.get_by_label("Base URL:", exact=True).fill(provider.base_url)
    await page.get_by_label("API key:", exact=True).fill("sk-mine")
    gate = Gate()
    provider.script(Answer(words=["yes"], gates={0: gate}))
    button = page.get_by_role("button", name="Try it")
    await button.click()
    result = page.locator("#try-model-result")
    await expect(result).to_have_text("Asking the model…")
    await expect(button).to_be_disabled()
    gate.open()
    await expect(result).to_contain_text("It answers: ")
    await expect(button).to_be_enabled()
    assert provider.requests[-1].headers["authorization"] == "Bearer sk-mine"
    provider.script(Answer(status=401))
    await button.click()
    await expect(result).to_contain_text(
        "It does not answer. The model's provider does not accept this site's API key."
    )
