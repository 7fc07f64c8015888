"""What `make audit` makes of the registry's answers."""

from __future__ import annotations

import json

import pytest

from tests import advisories

KNOWN = {"id": "PYSEC-2019-179", "fix_versions": ["1.0", "0.12.5"], "aliases": [], "description": "words"}
REPORT = json.dumps(
    {
        "dependencies": [
            {"name": "flask", "version": "0.5", "vulns": [KNOWN, {**KNOWN, "id": "GHSA-1", "fix_versions": []}]},
            {"name": "django", "version": "5.2.19", "vulns": []},
            {"name": "our-own", "skip_reason": "Dependency not found on PyPI"},
        ],
        "fixes": [],
    }
)
YANKED = 'warning: `attrs==21.1.0` is yanked (reason: "Installable but not importable on Python 3.4.")'


def test_advisories_are_named_with_the_release_that_repairs_them() -> None:
    found, untold = advisories.advisories(REPORT)
    assert found == [
        "flask 0.5: PYSEC-2019-179, repaired in 1.0, 0.12.5",
        "flask 0.5: GHSA-1, repaired in no release yet",
    ]
    assert untold == ["our-own"]


def test_withdrawn_releases_are_named() -> None:
    assert advisories.withdrawn(f"Resolved 2 packages\n{YANKED}\n") == [YANKED.removeprefix("warning: ")]


@pytest.mark.parametrize(
    ("report", "warnings", "code"), [(REPORT, "", 1), (advisories.NOBODY, YANKED, 1), ("", "", 0)], ids=str
)
def test_only_what_is_known_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], report: str, warnings: str, code: int
) -> None:
    monkeypatch.setattr(advisories, "_report", lambda _: report)
    monkeypatch.setattr(advisories, "_warnings", lambda _: warnings)
    assert advisories.main() == code
    told = capsys.readouterr().out
    assert ("not checked" in told) is ("skip_reason" in (report or advisories.NOBODY))
