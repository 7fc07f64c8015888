"""A deployed page never mixes modules of two versions."""

import re
from pathlib import Path

from django.contrib.staticfiles import finders

from sessions_app.web.storage import ModuleStaticFilesStorage, without_comments

HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


def test_modules_import_each_other_under_hashed_names(tmp_path: Path) -> None:
    storage = ModuleStaticFilesStorage(location=tmp_path, base_url="/static/")
    found = {}
    for finder in finders.get_finders():
        for path, source in finder.list([]):
            if path.startswith("sessions_app/js/"):
                with source.open(path) as file:
                    storage.save(path, file)
                found[path] = (storage, path)
    assert len(found) > 15
    for outcome in storage.post_process(found):
        assert not isinstance(outcome[2], Exception), outcome
    hashed = [path for path in (tmp_path / "sessions_app/js").iterdir() if HASHED.search(path.name)]
    assert len(hashed) == len(found)
    imports = {name for path in hashed for name in re.findall(r'from "\./([^"]+)"', path.read_text())}
    assert imports
    assert "socket.js" not in imports
    assert imports <= {path.name for path in hashed}


def test_comments_on_lines_of_their_own_are_left_out() -> None:
    script = b"""// The first line.
/** @param {string} text */
function f(text) {
  /*
   * More.
   */
  return text ?? "// no comment"; // the end
}
"""
    assert without_comments(script) == b'function f(text) {\n  return text ?? "// no comment"; // the end\n}\n'
