"""The collected answers (tests/web/answers/): typical ones of many kinds and languages, and broken ones."""

from pathlib import Path

ANSWERS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("answers/*.md"))}
