"""What is known against the packages that the locks name: the first part of `make audit`.

The locks are requirements-dev.txt and requirements-extras.txt, for Python, and package-lock.json, for npm. Two
questions to the registries of both. Advisories: pip-audit and npm ask about each release; where a registry cannot tell
(many mirrors keep files only) this is said, and is no failure. Withdrawn releases ("yanked"): every index of Python's
packages tells.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.processes import ROOT

LOCKS = [ROOT / "requirements-dev.txt", ROOT / "requirements-extras.txt"]
NPM_LOCK = ROOT / "package-lock.json"
# A report that knows of nothing.
NOBODY = '{"dependencies": [{"name": "any package", "skip_reason": "nobody can be asked"}]}'


def advisories(report: str) -> tuple[list[str], list[str]]:
    """The advisories in a report of pip-audit, a line each, and the packages that nobody could tell it of."""
    packages = json.loads(report)["dependencies"]
    found = [
        f"{package['name']} {package['version']}: {advisory['id']}, repaired in {_versions(advisory['fix_versions'])}"
        for package in packages
        for advisory in package.get("vulns", [])
    ]
    return found, [package["name"] for package in packages if "skip_reason" in package]


def _versions(versions: Iterable[str]) -> str:
    return ", ".join(versions) or "no release yet"


def npm_advisories(report: str) -> tuple[list[str], list[str]]:
    """Of a report of `npm audit` the same; where its registry could not tell, that is so of every package."""
    vulnerable = json.loads(report).get("vulnerabilities")
    if vulnerable is None:
        return [], [path.removeprefix("node_modules/") for path in json.loads(NPM_LOCK.read_text())["packages"] if path]
    found = [
        f"{package['name']} {package['range']}: {advisory['title']}"
        for package in vulnerable.values()
        for advisory in package["via"]
        if isinstance(advisory, dict)  # else it is the name of a package that has one itself
    ]
    return found, []


def withdrawn(warnings: str) -> list[str]:
    """The releases that uv calls yanked, a line each."""
    return re.findall(r"^warning: (.* is yanked.*)$", warnings, re.MULTILINE)


def _report(folder: Path, lock: Path) -> str:
    """What pip-audit found, as JSON; empty where it reached nobody."""
    program = str(folder / "pip-audit")
    options = ["--requirement", str(lock), "--require-hashes", "--disable-pip", "--format", "json"]
    # Status 1 means findings; what it says otherwise is for people, and goes to standard error.
    return subprocess.run([program, *options], check=False, capture_output=True, text=True).stdout


def _npm_report(folder: Path) -> str:
    """What npm found, or why it found nothing, as JSON."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")])}
    command = [str(folder / "npm"), "audit", "--json", "--package-lock-only"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True).stdout


def _warnings(folder: Path, lock: Path) -> str:
    command = [str(folder / "uv"), "pip", "compile", "--no-deps", "--no-annotate", "--no-header", str(lock)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def main() -> int:
    """Print what is known; 1 where anything is."""
    folder = Path(sys.executable).parent
    reports = [advisories(_report(folder, lock) or NOBODY) for lock in LOCKS]
    reports.append(npm_advisories(_npm_report(folder) or "{}"))
    if untold := {name for _, names in reports for name in names}:
        print(f"Advisories: not checked for {len(untold)} packages, of which the registries here tell none.")
    warned = [line for lock in LOCKS for line in withdrawn(_warnings(folder, lock))]
    # Most packages stand in both locks of Python's.
    found = list(dict.fromkeys([line for lines, _ in reports for line in lines] + warned))
    print(*found or ["No advisory that it tells of, and no release that was withdrawn."], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
