"""The files around the code: locked dependencies, and `make run` from a clean tree."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.live import ENVIRONMENT
from tests.processes import PATIENCE, ROOT, Process
from tests.services import free_port

LOCKS = sorted(ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_pin_every_file_by_hash_and_name_no_index(lock: Path) -> None:
    text = lock.read_text()
    packages = re.findall(r"^(\S+)==\S+ .*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert packages == re.findall(r"^([a-z][\w.-]*)", text, re.MULTILINE)
    assert "://" not in text


def test_the_lock_of_npm_pins_every_file_by_hash_and_names_no_index() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    wanted = {
        name: version.rpartition("@")[2] for name, version in asked.items()
    }  # npm:NAME@VERSION, under another name
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    files = [package for path, package in locked.items() if path]
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in files)


def test_every_dependency_has_its_reason() -> None:
    for file in sorted(ROOT.glob("requirements*.in")):
        assert file.with_suffix(".txt") in LOCKS
        for paragraph in re.split(r"(?=^#)", file.read_text(), flags=re.MULTILINE)[1:]:
            assert re.match(r"# \w.*\.\n", paragraph), f"{file.name}: {paragraph}"


@pytest.fixture
def clean_tree(tmp_path: Path) -> Path:
    """The project's files as git knows them, with this environment's .venv."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def state(tree: Path) -> dict[str, str]:
    """A digest of every file of the tree, of the database its rows."""
    files = [file for file in tree.rglob("*") if file.is_file() and ".venv" not in file.parts]
    digests = {
        str(file.relative_to(tree)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if ".sqlite3" not in str(file) and file.suffix != ".pyc"
    }
    database = sqlite3.connect(tree / "db.sqlite3")
    # Not `iterdump`: the index of the search is a table that holds no rows of its own, and cannot be read.
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'")
    rows = [(name, database.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables.fetchall()]
    digests["rows"] = hashlib.sha256(repr(rows).encode()).hexdigest()
    database.close()
    return digests


def make_run(tree: Path) -> list[str]:
    """What `make run` prints; it is stopped once it serves."""
    port = str(free_port())
    env = {**os.environ, **ENVIRONMENT, "PORT": port, "DATABASE_URL": "", "SECRET_KEY": ""}
    process = Process(["make", "--no-print-directory", "run"], env, cwd=tree)
    process.line(f"Hermes Site is at http://127.0.0.1:{port}/")
    with urlopen(f"http://127.0.0.1:{port}/accounts/signup/", timeout=PATIENCE) as page:
        assert "Sign up" in page.read().decode()
    process.stop()
    return process.output


@pytest.mark.thorough
def test_make_run_twice(clean_tree: Path) -> None:
    first = [line for line in make_run(clean_tree) if "password" in line]
    assert len(first) == 1
    password = first[0].split()[4]
    before = state(clean_tree)
    assert {".secret_key", "rows", "staticfiles/stamp"} <= set(before)
    for file in (".secret_key", "db.sqlite3"):
        assert stat.S_IMODE((clean_tree / file).stat().st_mode) == 0o600
    assert not any(password.encode() in file.read_bytes() for file in clean_tree.glob("db.sqlite3*") if file.is_file())
    assert make_run(clean_tree)[0].startswith("Hermes Site is at")
    assert state(clean_tree) == before
