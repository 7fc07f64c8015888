"""`HERMES_LOG=json`: every line is one object, says which request and run it is about, and no word of what was said."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import re
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest

from hermes_site.json_logs import JsonLines, JsonStream
from hermes_site.request_ids import RequestIds
from sessions_app import log_context
from sessions_app.scheduling.threads import FairThreads
from tests.live import LiveSite, manage
from tests.test_live import answer, client_of, request

pytestmark = pytest.mark.one_database


def told(name: str, message: str, *args: Any) -> dict[str, Any]:
    """What is said of a failure whose exceptions quote a secret text."""
    try:
        try:
            raise ValueError("secret text")
        except ValueError as cause:
            raise KeyError("secret text") from cause
    except KeyError:
        info = sys.exc_info()
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, info)
    record.request = "secret text"  # what Django puts beside its lines
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "secret" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_record_is_an_object_as_quiet_as_the_text() -> None:
    found = told("daphne.server", "Exception inside\napplication: %s", ValueError("secret text"))
    assert set(found) == {"time", "level", "logger", "message", "exception"}
    assert (found["level"], found["logger"]) == ("ERROR", "daphne.server")
    assert found["message"] == "Exception inside\napplication: ValueError"
    assert found["exception"].index("builtins.ValueError") < found["exception"].index("builtins.KeyError")
    assert found["time"].endswith("+00:00")
    assert (
        "future" not in told("asyncio", "never retrieved\nfuture: <Task exception=KeyError('secret text')>")["message"]
    )


async def test_ids_go_along_into_threads_and_tasks_and_nowhere_else() -> None:
    run = uuid4()
    threads = FairThreads(1, "tests")

    async def one(user_id: int) -> dict[str, object]:
        log_context.note_run(user_id, run, run)
        await asyncio.sleep(0)
        return await asyncio.wrap_future(threads.submit(user_id, lambda: log_context.current().known))

    try:
        known = await asyncio.gather(*(asyncio.create_task(one(user_id)) for user_id in (1, 2)))
        assert [each["user_id"] for each in known] == [1, 2]
        assert await asyncio.wrap_future(threads.submit(None, lambda: log_context.current().known)) == {}
    finally:
        await asyncio.to_thread(threads.close)
    log_context.note_run(1, run, run)
    assert json.loads(JsonLines().format(logging.makeLogRecord({"msg": "x"})))["run_id"] == str(run)
    with log_context.nothing():
        assert log_context.current().known == {}


@pytest.mark.parametrize(
    ("host", "sent", "taken"),
    [
        ("10.0.0.9", b"abc-1", True),
        ("192.0.2.9", b"abc-1", False),
        ("10.0.0.9", b"a b", False),
        ("10.0.0.9", b"x" * 129, False),
    ],
)
async def test_an_id_is_taken_from_a_trusted_proxy_alone(host: str, sent: bytes, taken: bool) -> None:
    answers: list[dict[str, Any]] = []
    seen: list[str | None] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(log_context.current().request_id)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    scope = {"type": "http", "client": [host, 1], "headers": [(b"x-request-id", sent)]}
    await RequestIds(application, [ip_network("10.0.0.0/8")])(scope, None, send)
    headers = dict(answers[0]["headers"])
    assert headers[b"x-request-id"].decode() == seen[0]
    assert (seen[0] == sent.decode()) is taken
    assert headers[b"a"] == b"b"


def test_what_is_printed_goes_out_by_lines() -> None:
    out = io.StringIO()
    stream = JsonStream("stdout", out)
    with contextlib.redirect_stdout(stream):
        print("one\ntwo", end="")
        assert len(out.getvalue().splitlines()) == 1
        print(" and more\n")
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == ["one", "two and more"]


def objects(site: LiveSite) -> list[dict[str, Any]]:
    """All that a site has said, each line of which must be an object."""
    found = [json.loads(line) for line in site.process.output if line.strip()]
    for each in found:
        assert {"time", "level", "logger", "message"} <= set(each)
    return found


# What a site does in its own process: warns, prints, fails in a thread and in a request.
_NOISE = """
import threading, warnings
from django.http import HttpRequest
from hermes_site import urls
from django.urls import path
def noise(request):
    warnings.warn("a warning")
    print("printed")
    threading.Thread(target=lambda: {}["secret text"]).start()
    raise RuntimeError("secret text")
urls.urlpatterns.insert(0, path("noise", noise))
"""


@pytest.mark.thorough
def test_every_line_of_a_real_site_is_an_object(start_site: Callable[..., LiveSite], tmp_path: Any) -> None:
    (tmp_path / "noisy.py").write_text(f"from hermes_site.urls import *\n{_NOISE}")
    (tmp_path / "noisy_settings.py").write_text("from hermes_site.settings import *\nROOT_URLCONF = 'noisy'\n")
    site = start_site(
        HERMES_LOG="json",
        HERMES_MODEL="openai-chat:nowhere",
        OPENAI_BASE_URL="http://127.0.0.1:1/v1",
        OPENAI_API_KEY="x",
        HERMES_PROVIDER_RETRIES="0",
        TRUSTED_PROXY="127.0.0.1",
        PYTHONPATH=str(tmp_path),
        DJANGO_SETTINGS_MODULE="noisy_settings",
    )
    with contextlib.closing(HTTPConnection("127.0.0.1", site.port)) as connection:
        connection.request("GET", "/noise", headers={"X-Request-ID": "from-the-proxy"})
        response = connection.getresponse()
        assert (response.status, response.headers["X-Request-ID"]) == (500, "from-the-proxy")
    with client_of(site) as client:
        client.send(request("session.create"))
        chat = answer(client)["session"]["id"]
        client.send(request("session.open", 2, session_id=chat))
        answer(client, 2)
        client.send(request("turn.start", 3, session_id=chat, text="secret text"))
        run_id = answer(client, 3)["run_id"]
        while json.loads(client.recv(timeout=60))["params"]["event"]["type"] != "RUN_ERROR":
            pass
    assert site.stop() == 0
    said = objects(site)
    assert "Hermes Site is at" in said[0]["message"]
    by_request = [each for each in said if each.get("request_id") == "from-the-proxy"]
    assert {"py.warnings", "stdout", "django.request"} <= {each["logger"] for each in by_request}
    assert any("a thread has ended" in each["message"] and "KeyError" in each["exception"] for each in said)
    [failed] = [each for each in said if each.get("run_id") == run_id and each["level"] == "WARNING"]
    assert failed["session_id"] == chat
    assert re.fullmatch(r"[0-9a-f]{32}", failed["request_id"])
    assert failed["user_id"].isdecimal()
    assert "secret" not in "".join(site.process.output)


@pytest.mark.thorough
def test_a_start_that_is_refused_says_so_in_an_object() -> None:
    refused = manage("serve", env={"HERMES_LOG": "json", "HERMES_MODEL": "no-such:model"}, check=False)
    assert refused.returncode == 1
    lines = [json.loads(line) for line in (refused.stdout + refused.stderr).splitlines() if line.strip()]
    assert any("HERMES_MODEL" in line["message"] for line in lines)
    wrong = manage("check", env={"HERMES_LOG": "xml"}, check=False)
    assert "HERMES_LOG must be text or json" in wrong.stderr
