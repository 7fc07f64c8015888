"""What is known against the packages that requirements-dev.txt locks: the first part of `make audit`.

Two questions to the package registry. Advisories: pip-audit asks it about each release; where it cannot tell (many
mirrors keep files only) this is said, and is no failure. Withdrawn releases ("yanked"): every index tells.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.processes import ROOT

LOCK = ROOT / "requirements-dev.txt"
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


def withdrawn(warnings: str) -> list[str]:
    """The releases that uv calls yanked, a line each."""
    return re.findall(r"^warning: (.* is yanked.*)$", warnings, re.MULTILINE)


def _report(folder: Path) -> str:
    """What pip-audit found, as JSON; empty where it reached nobody."""
    program = str(folder / "pip-audit")
    options = ["--requirement", str(LOCK), "--require-hashes", "--disable-pip", "--format", "json"]
    # Status 1 means findings; what it says otherwise is for people, and goes to standard error.
    return subprocess.run([program, *options], check=False, capture_output=True, text=True).stdout


def _warnings(folder: Path) -> str:
    command = [str(folder / "uv"), "pip", "compile", "--no-deps", "--no-annotate", "--no-header", str(LOCK)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def main() -> int:
    """Print what is known; 1 where anything is."""
    folder = Path(sys.executable).parent
    found, untold = advisories(_report(folder) or NOBODY)
    if untold:
        print(f"Advisories: not checked for {len(untold)} packages, of which the registry here tells none.")
    found += withdrawn(_warnings(folder))
    print(*found or ["No advisory that it tells of, and no release that was withdrawn."], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
