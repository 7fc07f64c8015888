"""What the documents say is so: the program runs, the links lead somewhere, the settings are the site's."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.live import DEFAULTS, LiveSite
from tests.processes import PATIENCE, ROOT

GUIDE = ROOT / "docs/api.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


# Where the clients of this repository are, by the names of what their packages hold.
PYTHON_CLIENT, JAVASCRIPT_CLIENT = ROOT / "clients/python", ROOT / "clients/js"
PACKAGES = {"hermes_client": "./clients/python"}
NODE = ROOT / ".venv/bin/node"


def programs(language: str = "python") -> list[str]:
    """The programs of the API guide: with the clients, over the socket, and with OpenAI's client."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def run(folder: Path, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program in Python as it is."""
    (folder / "program.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_CLIENT / "src"), **env}
    return finish([sys.executable, str(folder / "program.py")], environment)


def run_javascript(folder: Path, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one in JavaScript."""
    (folder / "node_modules").mkdir()
    (folder / "node_modules/hermes-site-client").symlink_to(JAVASCRIPT_CLIENT)
    (folder / "program.mjs").write_text(text)
    return finish([str(NODE), str(folder / "program.mjs")], {**os.environ, **env})


def finish(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=[pytest.mark.thorough] * (name in ("openai", "responses")))
        for name, text in zip(("client", "socket", "openai", "responses"), programs(), strict=True)
    ],
)
def test_the_programs_of_the_api_guide_run(lasting_site: LiveSite, newcomer: str, tmp_path: Path, text: str) -> None:
    site, token = lasting_site, lasting_site.tokens[newcomer]
    ran = run(tmp_path, text, HERMES_TOKEN=token, HERMES_URL=site.ws_url, HERMES_V1=f"{site.base_url}/v1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "42" in ran.stdout


def test_the_program_in_javascript_runs(lasting_site: LiveSite, newcomer: str, tmp_path: Path) -> None:
    text, *_ = programs("js")
    env = {"HERMES_TOKEN": lasting_site.tokens[newcomer], "HERMES_URL": lasting_site.ws_url}
    ran = run_javascript(tmp_path, text, **env)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "42" in ran.stdout


@pytest.mark.thorough
def test_the_ag_ui_program_of_the_api_guide_runs(lasting_site: LiveSite, newcomer: str) -> None:
    *_, text = programs("js")
    site, token = lasting_site, lasting_site.tokens[newcomer]
    env = {**os.environ, "HERMES_TOKEN": token, "HERMES_AGUI": f"{site.base_url}/ag-ui/"}
    # Run where this project's packages are found.
    command = [str(NODE), "--input-type=module", "--eval", text]
    ran = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "42" in ran.stdout


@pytest.mark.parametrize("request_id", ["session.create", None])
def test_an_error_ends_the_program_with_its_sentence(tmp_path: Path, request_id: str | None) -> None:
    error = {"jsonrpc": "2.0", "id": request_id, "error": {"code": -32003, "message": "Too many commands."}}

    def refuse(socket: ServerConnection) -> None:
        socket.recv()
        socket.send(json.dumps(error))
        for _ in socket:  # until the client has gone
            pass

    with serve(refuse, "127.0.0.1", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        ran = run(tmp_path, programs()[1], HERMES_URL=url, HERMES_TOKEN="token")
    assert (ran.returncode, ran.stderr) == (1, "session.create: Too many commands.\n")


def test_the_api_guide_names_what_its_program_needs() -> None:
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse("\n".join(programs())))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    named = set(re.findall(r"`pip install ([^`]+)`", GUIDE.read_text()))
    assert {PACKAGES.get(name, name) for name in imported - set(sys.stdlib_module_names)} == named


def test_links_lead_somewhere() -> None:
    links = re.compile(r"\]\((?!https?:)([^)#]+)")
    targets = [(document, target) for document in DOCUMENTS for target in links.findall(document.read_text())]
    assert targets
    assert [link for link in targets if not (link[0].parent / link[1]).exists()] == []


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
