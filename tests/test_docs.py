"""What the documents say is so: the program runs, the links lead somewhere, the settings are the site's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import DEFAULTS, LiveSite
from tests.processes import PATIENCE, ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_program_of_the_api_guide_runs(lasting_site: LiveSite, newcomer: str, tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
    assert found is not None
    program = tmp_path / "program.py"
    program.write_text(found.group(1))
    env = {
        **os.environ,
        "HERMES_TOKEN": lasting_site.tokens[newcomer],
        "HERMES_URL": lasting_site.ws_url,
    }
    command = [sys.executable, str(program)]
    ran = subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "42" in ran.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in DEFAULTS if f"`{name}`" not in readme] == []


def test_commands_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    django = {"changepassword", "check", "clearsessions", "collectstatic", "dumpdata", "flush", "loaddata", "migrate"}
    for document in DOCUMENTS:
        text = document.read_text()
        assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets, document
        assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= commands | django, document
