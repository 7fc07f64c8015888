"""The wheel of `pip install .`: the site's packages with all their files, which another project uses.

Thorough: packages change seldom, and the suite runs on the same files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import databases
from tests.embedded.project import Project
from tests.embedded.test_user_model import use
from tests.processes import ROOT

PACKAGES = ("agentcache", "hermes_site", "sessions_app")
UV = str(ROOT / ".venv/bin/uv")


def tracked(*folders: str) -> set[str]:
    """The files that git knows, or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked(*PACKAGES, "pyproject.toml", "requirements.in", "LICENSE"):
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    command = [UV, "build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable]
    done = subprocess.run(
        [*command, "--out-dir", folder, folder / "source"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.thorough
def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == tracked(*PACKAGES)


@pytest.mark.thorough
def test_the_wheel_needs_what_the_site_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    needed = re.findall(r"^Requires-Dist: ([\w-]+)", archive.read(metadata).decode(), re.MULTILINE)
    assert needed == re.findall(r"^([\w-]+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)


def test_the_guide_shows_what_the_project_here_does(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", (ROOT / "docs/embedding.md").read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["settings.py", "urls.py"]
    project = Project(tmp_path, databases.sqlite(tmp_path).url)
    for name, text in blocks:
        written = (project.folder / "elsewhere" / name).read_text().splitlines()
        lines = [line for line in text.splitlines() if line and not line.startswith("from django")]
        assert [line for line in lines if line not in written] == []


@pytest.mark.thorough
def test_another_project_uses_the_wheel(wheel: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    command = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run([*command, "--target", packages, wheel], check=True)
    project = Project(tmp_path, databases.sqlite(tmp_path).url, packages=packages)
    project.manage("collectstatic", "--noinput")
    where = "import hermes_site, sessions_app; print(hermes_site.__file__, sessions_app.__file__)"
    assert project.manage("shell", "-c", where).count(str(packages)) == 2
    use(project)
