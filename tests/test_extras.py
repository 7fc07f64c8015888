"""HERMES_EXTRAS: the packages of further families of models, of one lock, by the Makefile and in the image."""

from __future__ import annotations

import re
import subprocess

import pytest

from sessions_app.llm.providers import EXTRAS, check_model
from tests.processes import ROOT

LOCK = (ROOT / "requirements-extras.txt").read_text()
PINNED = re.compile(r"^([a-z][\w.-]*)==(\S+)", re.MULTILINE)


def make(extras: str) -> subprocess.CompletedProcess[str]:
    """What `make run` would do."""
    command = ["make", "--dry-run", "--always-make", "run", f"HERMES_EXTRAS={extras}"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_the_families_are_the_same_everywhere() -> None:
    wanted = re.search(r"pydantic-ai-slim\[(.*)\]", (ROOT / "requirements-extras.in").read_text())
    offered = re.search(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert wanted is not None
    assert offered is not None
    assert wanted[1].split(",") == offered[1].split() == list(EXTRAS)


def test_the_lock_agrees_with_that_of_the_site() -> None:
    served = set(PINNED.findall((ROOT / "requirements.txt").read_text()))
    assert served <= set(PINNED.findall(LOCK))


@pytest.mark.parametrize("extras", ["", "groq", "google,bedrock"])
def test_make_run_installs_what_is_named_by_its_hash(extras: str) -> None:
    done = make(extras)
    assert done.returncode == 0, done.stderr
    commands = [line for line in done.stdout.replace("\\\n", " ").splitlines() if "requirements-extras.txt" in line]
    assert len(commands) == len([name for name in extras.split(",") if name])
    for command, name in zip(commands, extras.split(","), strict=False):
        assert f"[{name}]" in command
        assert "--require-hashes --constraint requirements-extras.txt" in command


def test_a_family_that_does_not_exist_ends_make_with_those_that_do() -> None:
    done = make("groq,nobody")
    assert done.returncode != 0
    assert f"HERMES_EXTRAS takes {' '.join(EXTRAS)}, separated by commas; not nobody" in done.stderr


# Bedrock's package is there, because files may be kept in S3.
@pytest.mark.parametrize("extra", [name for name in EXTRAS if name != "bedrock"])
def test_a_model_without_its_package_says_how_to_install_it(extra: str) -> None:
    with pytest.raises(ValueError, match=f"^its package is not installed, which HERMES_EXTRAS={extra} make run does"):
        check_model(f"{extra}:some-model")


@pytest.mark.parametrize("name", ["openai:", "openai: ", "openai-chat:", "anthropic:", "ollama:", ":", "google:"])
def test_a_model_string_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^it must end with the name of a model$"):
        check_model(name)
