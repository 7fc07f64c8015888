"""The page of the chat: whom it is shown to, and that nothing in it needs more than its policy allows."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from sessions_app.models import ToolServer
from sessions_app.web.storage import without_comments

STATIC = Path(__file__).parents[2] / "sessions_app" / "static" / "sessions_app"
MAX_FIRST_PAGE = 120_000  # bytes
STYLES = sorted((STATIC / "css").glob("*.css"))


class Page(HTMLParser):
    """The tags of a page as (name, attributes), and the text of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.scripts.append((self.tags[-1][1], data))

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("<b>eve</b>", password="unlocks nothing")


@pytest.fixture
def page(client: Client, user: User) -> Page:
    client.force_login(user)
    return Page(client.get("/").content.decode())


def test_strangers_are_sent_to_the_login_and_back(client: Client) -> None:
    response = client.get("/?chat=5")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{reverse('login')}?next=/%3Fchat%3D5"


def test_only_reading_is_answered(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.post("/").status_code == 405


def test_the_policy_names_this_site_and_nothing_else(client: Client, user: User) -> None:
    client.force_login(user)
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    directives = [directive.split() for directive in policy.split(";")]
    sources = {source for name, *sources in directives for source in sources if "trusted-types" not in name}
    assert sources <= {"'none'", "'self'", "data:"}
    assert "default-src 'none'" in policy
    assert "no-store" in response.headers["Cache-Control"]


def test_nothing_is_inline(page: Page) -> None:
    assert [attrs.get("type") for attrs, _ in page.scripts] == ["application/json"]
    assert "style" not in {tag for tag, _ in page.tags}
    for _, attrs in page.tags:
        assert not [name for name in attrs if name == "style" or name.startswith("on")]


def test_what_the_page_loads_is_there(page: Page) -> None:
    addresses = [
        attrs[name]
        for tag, attrs in page.tags
        for name in ("src", "href")
        if tag in ("script", "link") and name in attrs
    ]
    assert len(addresses) > 1
    for address in addresses:
        assert address == reverse("manifest") or finders.find(address.removeprefix("/static/")), address


def test_all_that_the_page_begins_with_is_asked_for_at_once(page: Page) -> None:
    preloaded = {attrs["href"] for _, attrs in page.tags if attrs.get("rel") == "modulepreload"}
    imported = re.findall(
        r'^import .*?"\./(\w+\.js)";', (STATIC / "js" / "main.js").read_text(), re.DOTALL | re.MULTILINE
    )
    assert {f"/static/sessions_app/js/{name}" for name in ("main.js", *imported)} < preloaded


def test_what_is_needed_later_is_not_asked_for_at_once(page: Page) -> None:
    preloaded = " ".join(attrs.get("href", "") for _, attrs in page.tags)
    later = ("palette", "settings", "shortcut_list", "ledger", "instructions", "listbox", "popups", "details", "gauge")
    for name in later:
        assert (STATIC / "js" / f"{name}.js").exists()
        assert f"/js/{name}.js" not in preloaded


def test_the_first_page_is_small(client: Client, user: User) -> None:
    """Page, styles, scripts, icons and the one font that English needs, as they go over the wire."""
    client.force_login(user)
    html = client.get("/").content
    page = Page(html.decode())
    # The others are asked for by who installs the chat.
    asked = [attrs for _, attrs in page.tags if attrs.get("rel") not in ("manifest", "apple-touch-icon")]
    addresses = {attrs["href"] for attrs in asked if "rel" in attrs} | {
        attrs["src"] for attrs in asked if "src" in attrs
    }
    found = [Path(str(finders.find(address.removeprefix("/static/")))).read_bytes() for address in addresses]
    fonts = [content for content in found if content.startswith(b"wOF2")]
    others = [gzip.compress(without_comments(content)) for content in (html, *found) if content not in fonts]
    assert len(fonts) == 1
    assert sum(map(len, fonts + others)) <= MAX_FIRST_PAGE


def test_ids_are_unique_and_those_referred_to_exist(page: Page) -> None:
    assert len(page.ids()) == len(set(page.ids()))
    for _, attrs in page.tags:
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget"):
            assert set(attrs.get(name, "").split()) <= set(page.ids())


def test_every_button_and_field_has_a_name(client: Client, user: User) -> None:
    client.force_login(user)
    html = client.get("/").content.decode()
    fields = re.findall(r'<((?:input|textarea)\b[^>]*\bid="([^"]+)"[^>]*)>', html)
    assert [name for _, name in fields] == ["text", "attach-input", "palette-field"]
    for attributes, name in fields:
        assert "aria-label=" in attributes or f'<label class="visually-hidden" for="{name}">' in html
    for attributes, content in re.findall(r"<button\b([^>]*)>(.*?)</button>", html, re.DOTALL):
        words = re.sub(r"<[^>]+>", "", content).strip()
        assert words or "aria-label=" in attributes or 'id="dialog-yes"' in attributes  # named when it is opened


@pytest.mark.django_db
def test_what_the_page_is_told(client: Client, user: User, settings: object) -> None:
    settings.HERMES_MAX_TEXT = 123  # type: ignore[attr-defined]
    client.force_login(user)
    page = Page(client.get("/").content.decode())
    assert [json.loads(text) for _, text in page.scripts] == [
        {"maxText": 123, "login": reverse("login"), "user": str(user.pk), "sendsMail": False, "maxFile": 25_000_000}
        | {"features": ["files", "api_tokens", "sharing"]}
    ]


def test_the_box_of_a_new_chat_has_its_place_before_scripts_run(client: Client, user: User) -> None:
    client.force_login(user)
    assert 'class="greeting"' in client.get("/").content.decode()
    assert 'class="greeting"' not in client.get("/?chat=1").content.decode()


def test_a_name_is_text(client: Client, user: User) -> None:
    client.force_login(user)
    html = client.get("/").content.decode()
    assert "&lt;b&gt;eve&lt;/b&gt;" in html
    assert "<b>eve" not in html


@pytest.mark.parametrize("asks_users", [True, False])
def test_the_way_to_tool_servers_is_shown_where_one_asks_users(client: Client, user: User, asks_users: bool) -> None:
    ToolServer.objects.create(name="office", url="https://office.example.org/mcp", asks_users=asks_users)
    client.force_login(user)
    assert ("data-tool-servers" in client.get("/").content.decode()) is asks_users


@pytest.mark.parametrize("is_staff", [True, False])
def test_administration_is_offered_to_staff_only(client: Client, user: User, is_staff: bool) -> None:
    user.is_staff = is_staff
    user.save()
    client.force_login(user)
    assert ('href="/admin/"' in client.get("/").content.decode()) is is_staff


def test_styles_load_fonts_of_ours_and_nothing_else() -> None:
    text = "".join(style.read_text() for style in STYLES)
    assert "@import" not in text
    named = re.findall(r'url\("\.\./fonts/([a-z0-9-]+\.woff2)"\)', text)
    assert len(named) == text.count("url(")
    assert sorted(named) == sorted(path.name for path in (STATIC / "fonts").glob("*.woff2"))


def test_no_text_waits_for_a_font() -> None:
    fonts = (STATIC / "css" / "fonts.css").read_text()
    assert fonts.count("font-display: swap") == fonts.count("@font-face {") > 1


def channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[place : place + 2], 16)) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two #rrggbb colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


GROUNDS = ("ground", "side", "raised", "wash", "press")
PAIRS = [
    *[(ink, ground) for ink in ("ink", "soft") for ground in GROUNDS],
    *[(ink, ground) for ink in ("accent", "danger") for ground in ("ground", "side", "raised")],
    ("ink", "accent-wash"), ("accent-more", "accent-wash"), ("ink", "mark"), ("ground", "ink"), ("ground", "danger"),
    ("on-accent", "accent"), ("on-accent", "accent-more"), ("danger", "danger-wash"), ("warn", "warn-wash"),
    *[(f"c-{kind}", "side") for kind in ("comment", "keyword", "string", "number", "name", "type")],
]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(scheme: int) -> None:
    """WCAG AA for text, 4.5:1; each colour's definition has the light theme's value and the dark one's."""
    text = (STATIC / "css" / "tokens.css").read_text()
    for ink, ground in PAIRS:
        values = [re.findall(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\);", text) for name in (ink, ground)]
        colours = [value[scheme] for ((*value,),) in values]
        assert contrast(*colours) >= 4.5, (ink, ground, colours)
