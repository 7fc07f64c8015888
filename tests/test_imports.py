"""The layers of the project, as pyproject.toml draws them."""

import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def test_imports_go_one_way() -> None:
    # In a process of its own: it looks at modules as they lie on disk, not as this run has loaded them.
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
