"""The compose file as docker-compose reads it, and the settings that it takes from example.env."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from hermes_site.server import CLOSING
from tests.processes import ROOT
from tests.services import program
from tests.thorough import thorough

DEPLOY = ROOT / "deploy"
EXAMPLE = (DEPLOY / "example.env").read_text()
RAW: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
FILLED = re.sub(r"^(SECRET_KEY|POSTGRES_PASSWORD)=$", r"\1=given", EXAMPLE, flags=re.MULTILINE)
# Read by the providers' own clients, and by docker-compose itself.
FOREIGN = {"OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "OLLAMA_BASE_URL"}
FOREIGN |= {"HERMES_EXTRAS", "COMPOSE_PROJECT_NAME"}


def docker_compose(folder: Path, env: str, *files: str) -> subprocess.CompletedProcess[str]:
    """What `config` says of these files, with that .env beside them."""
    shutil.copytree(DEPLOY, folder / "deploy", dirs_exist_ok=True)
    (folder / "deploy/.env").write_text(env)
    command = [program("docker-compose"), *(word for file in files for word in ("-f", file)), "config"]
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder / "deploy", env=bare, check=False, capture_output=True, text=True)


def services(folder: Path, env: str, *files: str) -> dict[str, Any]:
    said = docker_compose(folder, env, *files)
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = yaml.safe_load(said.stdout)["services"]
    return found


def address(service: dict[str, Any]) -> str:
    found: str = service["networks"]["default"]["ipv4_address"]
    return found


def test_two_processes_alike_where_nginx_looks_for_them(tmp_path: Path) -> None:
    found = services(tmp_path, FILLED, "compose.yaml")
    assert set(found) == {"postgres", "redis", "setup", "app1", "app2", "nginx"}
    first, second, nginx = found["app1"], found["app2"], found["nginx"]
    apps = [f"{address(app)}:8000" for app in (first, second)]
    assert re.findall(r"^server (\S+)", (DEPLOY / "nginx/processes.conf").read_text(), re.MULTILINE) == apps
    assert first["environment"]["TRUSTED_PROXY"] == address(nginx)
    assert {**first, "networks": None} == {**second, "networks": None}
    assert first["environment"] == found["setup"]["environment"]
    assert {name: need["condition"] for name, need in first["depends_on"].items()} == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "setup": "service_completed_successfully",
    }


@pytest.mark.thorough
def test_with_tls_the_other_door(tmp_path: Path) -> None:
    env = f"{FILLED}\nTLS_FOLDER=/certificates\n"
    nginx = services(tmp_path, env, "compose.yaml", "compose.tls.yaml")["nginx"]
    mounted = json.dumps(nginx["volumes"])
    assert "nginx/https.conf" in mounted
    assert "nginx/http.conf" not in mounted


@pytest.mark.parametrize("name", ["SECRET_KEY", thorough("POSTGRES_PASSWORD")])
def test_nothing_starts_without_a_secret(tmp_path: Path, name: str) -> None:
    said = docker_compose(tmp_path, FILLED.replace(f"{name}=given", f"{name}="), "compose.yaml")
    assert said.returncode != 0
    assert "is missing in .env" in said.stderr


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [volume.split(":")[0] for volume in RAW["services"]["nginx"]["volumes"]]
    assert [file for file in mounted if not (DEPLOY / file).is_file()] == []


def test_a_process_gets_longer_to_stop_than_it_takes() -> None:
    assert int(RAW["x-app"]["stop_grace_period"].removesuffix("s")) > settings.HERMES_DRAIN_GRACE + 2 * CLOSING


def test_the_example_has_every_setting_and_no_other() -> None:
    read = set(re.findall(r'_env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "hermes_site/settings.py").read_text()))
    composed = set(RAW["x-app"]["environment"]) - {"SECRET_KEY"}
    files = "".join(file.read_text() for file in DEPLOY.glob("compose*.yaml"))
    shown = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert set(shown) == (read - composed) | FOREIGN | set(re.findall(r"\$\{([A-Z_]+):", files))


def test_the_example_shows_the_defaults() -> None:
    shown = re.findall(r"^#(HERMES_[A-Z_]+)=([0-9.]+)$", EXAMPLE, re.MULTILINE)
    assert shown
    assert {name: float(value) for name, value in shown} == {name: getattr(settings, name) for name, _ in shown}
