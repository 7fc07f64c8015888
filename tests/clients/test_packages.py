"""What the clients' packages say of themselves is so: their README's program runs, their types are the API's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from sessions_app.api.methods import description
from tests import api_python_types, api_types
from tests.live import LiveSite
from tests.processes import PATIENCE, ROOT

PYTHON, JS = ROOT / "clients" / "python", ROOT / "clients" / "js"
NODE = ROOT / ".venv" / "bin"
# A program that the types must allow, and one that they must not.
_TYPED = """
import { connect, type Run } from "hermes-site-client";
import { HermesAgent } from "hermes-site-client/agent";

const client = await connect("ws://127.0.0.1/", { token: "" });
const run: Run = await (await client.create({ title: "" })).send("");
for await (const event of run) {
  if (event.type === "TEXT_MESSAGE_CONTENT") console.log(event.delta, event.metadata.offset);
}
const { sessions } = await client.call("session.list", { limit: 1 });
console.log(sessions[0]?.title, (await run.answer())?.text, new HermesAgent({ client, threadId: "" }).threadId);
// @ts-expect-error: there is no such parameter
await client.call("session.list", { nonsense: 1 });
"""
UV = str(ROOT / ".venv" / "bin" / "uv")


def readme(package: Path, language: str) -> str:
    """Return the program of a package's README, which has ten lines of it at most."""
    [program] = re.findall(rf"```{language}\n(.*?)```", (package / "README.md").read_text(), re.DOTALL)
    assert program.count("\n") <= 10
    return str(program)


def run(command: list[str], folder: Path, **env: str) -> str:
    """Return what a command prints that succeeds."""
    environment = {**os.environ, **env}
    ran = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_the_types_of_the_clients_are_those_of_the_api() -> None:
    """Else: make types."""
    document = description().model_dump(mode="json")
    assert api_types.MODULE.read_text() == api_types.module(document)
    assert api_python_types.FILE.read_text() == api_python_types.module(document)


@pytest.mark.thorough
def test_the_program_of_the_python_package_runs(lasting_site: LiveSite, newcomer: str, tmp_path: Path) -> None:
    source, installed = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(PYTHON, source)
    run([UV, "build", "-q", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable], source)
    [wheel] = (source / "dist").glob("*.whl")
    held = zipfile.ZipFile(wheel)
    assert "hermes_client/py.typed" in held.namelist()
    held.extractall(installed)
    (tmp_path / "program.py").write_text(readme(PYTHON, "python"))
    said = run(
        [sys.executable, "program.py"],
        tmp_path,
        PYTHONPATH=str(installed),
        HERMES_URL=lasting_site.ws_url,
        HERMES_TOKEN=lasting_site.tokens[newcomer],
    )
    assert "42" in said


@pytest.fixture
def javascript_package(tmp_path: Path) -> Path:
    """A folder where the package is installed as npm packs it."""
    source, installed = tmp_path / "site" / "clients" / "js", tmp_path / "installed" / "node_modules"
    shutil.copytree(JS, source)
    shutil.copy(ROOT / "tsconfig.json", tmp_path / "site")
    (tmp_path / "site" / "node_modules").symlink_to(ROOT / "node_modules")
    path = os.pathsep.join([str(NODE), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]])
    run([str(NODE / "npm"), "pack", "--silent"], source, PATH=path)
    installed.mkdir(parents=True)
    [packed] = source.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(installed, filter="data")
    (installed / "package").rename(installed / "hermes-site-client")
    for name in ("@ag-ui", "rxjs"):
        (installed / name).symlink_to(ROOT / "node_modules" / name)
    return installed.parent


@pytest.mark.thorough
def test_the_program_of_the_javascript_package_runs(
    lasting_site: LiveSite, newcomer: str, javascript_package: Path
) -> None:
    (javascript_package / "program.mjs").write_text(readme(JS, "js"))
    env = {"HERMES_URL": lasting_site.ws_url, "HERMES_TOKEN": lasting_site.tokens[newcomer]}
    assert "42" in run([str(NODE / "node"), "program.mjs"], javascript_package, **env)


@pytest.mark.thorough
def test_the_javascript_package_has_types(javascript_package: Path) -> None:
    (javascript_package / "typed.mts").write_text(_TYPED)
    options = {"module": "nodenext", "target": "es2024", "strict": True, "skipLibCheck": True, "types": []}
    options["lib"] = ["es2024", "dom", "dom.iterable"]
    (javascript_package / "tsconfig.json").write_text(json.dumps({"compilerOptions": {**options, "noEmit": True}}))
    path = os.pathsep.join([str(NODE), os.environ["PATH"]])
    run([str(ROOT / "node_modules" / ".bin" / "tsc"), "-p", "."], javascript_package, PATH=path)
