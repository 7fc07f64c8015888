"""The chat can be installed: its manifest, its icons, and what the pages say of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def manifest(client: Client) -> dict[str, Any]:
    """The manifest, which nobody has to log in for."""
    response = client.get("/manifest.webmanifest")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/manifest+json")
    assert "manifest-src 'self'" in response.headers["Content-Security-Policy"]
    described: dict[str, Any] = response.json()
    return described


def icons(manifest: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for icon in manifest["icons"]:
        width, _, height = icon["sizes"].partition("x")
        assert width == height
        yield icon["src"].removeprefix("/static/"), int(width)


def size_of(path: str) -> tuple[int, int]:
    """Return width and height of a PNG file among the static ones."""
    found = finders.find(path)
    assert isinstance(found, str)
    with open(found, "rb") as file:
        head = file.read(24)
    assert head.startswith(PNG)
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_the_manifest_is_enough_to_install_the_chat(manifest: dict[str, Any]) -> None:
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    assert {192, 512} <= {size for _, size in icons(manifest)}


def test_the_icons_have_the_sizes_that_the_manifest_says(manifest: dict[str, Any]) -> None:
    for path, size in icons(manifest):
        assert size_of(path) == (size, size)
    assert size_of("sessions_app/icon-touch.png") == (180, 180)


def test_the_old_name_of_the_icon_leads_to_it(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    found = finders.find(response.headers["Location"].removeprefix("/static/"))
    assert isinstance(found, str)
    with open(found, "rb") as file:
        assert file.read(4) == b"\0\0\1\0"


@pytest.mark.django_db
def test_every_page_names_manifest_icons_and_colour(client: Client) -> None:
    html = client.get("/accounts/login/").content.decode()
    for tag in ('rel="manifest"', 'rel="apple-touch-icon"', 'name="theme-color"', "early"):
        assert tag in html
