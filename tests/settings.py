"""The site's settings for tests: nothing of the developer's own environment, and a database of the run's own.

TEST_ON=postgresql in the environment runs the database tests on PostgreSQL; without it they run on SQLite.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.live import DEFAULTS
from tests.services import postgres_url

on_postgresql = os.environ.get("TEST_ON") == "postgresql"
os.environ |= {
    **DEFAULTS,
    "SECRET_KEY": "tests-only",
    "DATABASE_URL": postgres_url() if on_postgresql else "",
}

from hermes_site.settings import *  # noqa: E402, F403
from hermes_site.settings import DATABASES, STORAGES  # noqa: E402

if on_postgresql:
    # A test's own transaction lasts as long as the test, however slow.
    DATABASES["default"]["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
else:
    # A file, because an in-memory database cannot be shared by threads as the real one is.
    _folder = tempfile.mkdtemp(prefix="hermes-test-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder) / "test.sqlite3")}

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1", "[::1]"]
_files = tempfile.mkdtemp(prefix="hermes-files-")
atexit.register(shutil.rmtree, _files, ignore_errors=True)
STORAGES["files"]["OPTIONS"]["location"] = _files
# No collectstatic before a test.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
# The real one takes a tenth of a second for each login, by intent.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
