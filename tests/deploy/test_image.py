"""The Dockerfile without Docker: what it copies is enough, and what it runs works, in a folder of its own."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests import databases
from tests.databases import Database
from tests.deploy.test_compose import FILLED, RAW
from tests.processes import ROOT, Process
from tests.services import free_port

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")


def instructions(word: str) -> list[str]:
    """What stands after a word of the Dockerfile, line by line."""
    return re.findall(rf"^{word} (.*)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[tuple[str, str]]:
    """What is copied from the project: source and destination."""
    pairs = []
    for rest in instructions("COPY"):
        *sources, destination = rest.split()
        if not sources[0].startswith("--from"):
            pairs += [(source, destination) for source in sources]
    return pairs


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's folder, but for the packages: those are this environment's."""
    folder = tmp_path_factory.mktemp("image") / "hermes"
    for source, destination in copied():
        here, there = ROOT / source, folder / destination
        there = there / source if destination == "./" else there
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, there)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for command in instructions("RUN"):
        if not re.search(r"venv |/installer", command):
            subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment(folder), check=True)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What a container sets, and nothing of this machine's."""
    words = " ".join(instructions("ENV")).replace("/hermes/", f"{folder}/").replace("$PATH", "/usr/bin:/bin").split()
    return dict(word.split("=", 1) for word in words)


@pytest.fixture
def running_env(tree: Path, redis_url: str, postgres_template: Database) -> Iterator[dict[str, str]]:
    """What compose.yaml gives a process, with a migrated PostgreSQL and a Redis of this machine."""
    database = databases.postgresql(postgres_template)
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", FILLED, re.MULTILINE))
    here = {"DATABASE_URL": database.url, "REDIS_URL": redis_url, "PORT": str(free_port())}
    yield {**environment(tree), **given, **RAW["x-app"]["environment"], **here, "SECRET_KEY": "given"}
    databases.drop(database)


def files(folder: Path) -> set[tuple[str, int]]:
    """Every file, and when it was written."""
    return {(str(file), file.stat().st_mtime_ns) for file in folder.rglob("*")}


def test_docker_is_given_what_is_copied_and_no_more() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == {source for source, _ in copied()}


def test_every_package_is_checked_by_its_hash() -> None:
    installing = [command for command in instructions("RUN") if "requirements" in command]
    assert len(installing) == 3
    assert all("--require-hashes" in command for command in installing)


@pytest.mark.thorough
def test_a_container_from_setup_to_its_end(tree: Path, running_env: dict[str, str]) -> None:
    def ran(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        merged = {**running_env, **env}
        return subprocess.run(command, cwd=tree, env=merged, check=False, capture_output=True, text=True)

    check = json.loads(instructions("HEALTHCHECK")[0].split("CMD ")[1])
    before = files(tree)
    assert ran(RAW["services"]["setup"]["command"]).returncode == 0
    process = Process(json.loads(instructions("CMD")[0]), running_env, cwd=tree)
    process.line(f"Hermes Site is at http://0.0.0.0:{running_env['PORT']}/")
    assert ran(check).returncode == 0
    assert process.stop() == 0
    ended = ran(check)
    assert (ended.returncode, "nobody answers" in ended.stderr) == (1, True)
    assert files(tree) == before


@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize("hosts", ["chat.example.org, localhost", ".example.org", "*", ""])
def test_the_health_check_asks_by_a_name_that_is_allowed(client: Client, settings: Settings, hosts: str) -> None:
    settings.ALLOWED_HOSTS = [word.strip() for word in (hosts or "localhost").split(",")]
    name = runpy.run_path(str(ROOT / "deploy/healthcheck.py"))["allowed_name"](hosts)
    assert client.get("/healthz", headers={"host": name}).status_code == 200
