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
NPM_REPORT = json.dumps(
    {
        "auditReportVersion": 2,
        "vulnerabilities": {
            "ansi": {"name": "ansi", "range": "<1.2.0", "via": [{"title": "Slow on long words", "severity": "high"}]},
            "words": {"name": "words", "range": "*", "via": ["ansi"]},
        },
    }
)
NPM_NOBODY = json.dumps({"message": "405 Method Not Allowed", "statusCode": 405})
NPM_NOTHING = json.dumps({"auditReportVersion": 2, "vulnerabilities": {}})
YANKED = 'warning: `attrs==21.1.0` is yanked (reason: "Installable but not importable on Python 3.4.")'


def test_advisories_are_named_with_the_release_that_repairs_them() -> None:
    found, untold = advisories.advisories(REPORT)
    assert found == [
        "flask 0.5: PYSEC-2019-179, repaired in 1.0, 0.12.5",
        "flask 0.5: GHSA-1, repaired in no release yet",
    ]
    assert untold == ["our-own"]


def test_advisories_of_npm_are_named_once() -> None:
    assert advisories.npm_advisories(NPM_REPORT) == (["ansi <1.2.0: Slow on long words"], [])


def test_where_npm_cannot_be_told_every_package_is_unchecked() -> None:
    found, untold = advisories.npm_advisories(NPM_NOBODY)
    assert found == []
    assert {"typescript", "@biomejs/biome", "@types/node"} <= set(untold)


def test_withdrawn_releases_are_named() -> None:
    assert advisories.withdrawn(f"Resolved 2 packages\n{YANKED}\n") == [YANKED.removeprefix("warning: ")]


@pytest.mark.parametrize(
    ("report", "npm_report", "warnings", "code"),
    [
        (REPORT, NPM_NOTHING, "", 1),
        (advisories.NOBODY, NPM_NOTHING, YANKED, 1),
        (advisories.NOBODY, NPM_REPORT, "", 1),
        (advisories.NOBODY, NPM_NOBODY, "", 0),
        ("", "", "", 0),
    ],
    ids=["advisory", "withdrawn", "advisory of npm", "nobody tells", "nobody answers"],
)
def test_only_what_is_known_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    report: str,
    npm_report: str,
    warnings: str,
    code: int,
) -> None:
    monkeypatch.setattr(advisories, "_report", lambda *_: report)
    monkeypatch.setattr(advisories, "_npm_report", lambda _: npm_report)
    monkeypatch.setattr(advisories, "_warnings", lambda *_: warnings)
    assert advisories.main() == code
    told = capsys.readouterr().out
    assert ("not checked" in told) is ("skip_reason" in (report or advisories.NOBODY))
