"""What the clients' packages say of themselves is so: their README's program runs, their types are the API's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from sessions_app.api.methods import description
from tests import api_python_types, api_types
from tests.live import LiveSite
from tests.processes import PATIENCE, ROOT

PYTHON, JS = ROOT / "clients" / "python", ROOT / "clients" / "js"
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
