"""`manage.py serve`: the site, in the foreground."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from twisted.internet.error import CannotListenError

from hermes_site.server import Server
from hermes_site.uploads import Place, Uploads
from sessions_app import tracing
from sessions_app.api.identifying import identify
from sessions_app.management import files
from sessions_app.management.pending import migrations_are_pending
from sessions_app.web import rendering


async def _admits(headers: Sequence[tuple[bytes, bytes]], address: str) -> bool:
    return await identify(headers, address) is not None


class Command(BaseCommand):
    help = "Check that everything can work, then serve until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000", help="PORT, else 8000")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen at, else 127.0.0.1")
        # One start of Python instead of two: a second of the three that `make run` may take.
        parser.add_argument("--setup", action="store_true", help="do what `manage.py setup` does first")

    def run_from_argv(self, argv: list[str]) -> None:
        """Begin: what the checks before the start say is a line of the log too."""
        if settings.HERMES_LOG == "json":
            from hermes_site import json_logs

            json_logs.take_over()
            self.stdout, self.stderr = OutputWrapper(sys.stdout), OutputWrapper(sys.stderr)
        super().run_from_argv(argv)

    def handle(self, *args: Any, host: str, port: int, setup: bool, **options: Any) -> None:
        files.make_private()
        if setup:
            call_command("setup", stdout=self.stdout)
        self._check_prepared()
        self.check(databases=["default"])
        from hermes_site.asgi import application, runner
        from sessions_app.files_api.routes import AROUND_BYTES, files_root, refusal
        from sessions_app.http_api.sent_files import longest_body
        from sessions_app.transfer_api import routes as transfer_routes

        # JSON may spend 12 bytes on a character ("\\ud83d\\ude00"); 64 kB for all that surrounds the text.
        max_frame = 12 * settings.HERMES_MAX_TEXT + 64 * 1024
        files_place = Place(files_root(), settings.HERMES_MAX_FILE + AROUND_BYTES, refusal())
        imports = Place(
            transfer_routes.import_path(), settings.HERMES_MAX_IMPORT + AROUND_BYTES, transfer_routes.refusal()
        )
        server = Server(
            application,
            runner,
            host=host,
            port=port,
            max_frame=max_frame,
            grace=settings.HERMES_DRAIN_GRACE,
            proxies=settings.TRUSTED_PROXY,
            uploads=Uploads((files_place, imports), longest_body(), admits=_admits),
        )
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            tracing.begin()
        try:
            server.serve(self._announce)
        except CannotListenError as error:
            raise CommandError(
                f"Port {port} cannot be used at {host} ({error.socketError}); PORT= names another."
            ) from error
        finally:
            rendering.close()
            tracing.close()

    def _check_prepared(self) -> None:
        if migrations_are_pending():
            raise CommandError("The database is not up to date: run manage.py setup (make run does).")
        collected = cast(ManifestStaticFilesStorage, staticfiles_storage).hashed_files
        if not (collected or settings.DEBUG):
            raise CommandError("The static files are not there: run manage.py collectstatic (make run does).")

    def _announce(self, url: str) -> None:
        self.stdout.write(f"Hermes Site is at {url} (stop it with Ctrl-C)")
        self.stdout.flush()
