"""`/metrics`: who is let in, and that a real site tells what happened in it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
import yaml
from channels.testing import HttpCommunicator
from django.contrib.auth.models import User
from django.test import Client

from agentcache import Statistics
from hermes_site.asgi import application, runner
from sessions_app import database
from sessions_app.metrics import REGISTRY
from sessions_app.models import ApiToken
from tests.api.conftest import administrator, cookie, login, outsider, owner
from tests.live import LiveSite
from tests.pages import Figures, figures, rises
from tests.peers import Peer, peer, token
from tests.processes import PATIENCE, ROOT
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

__all__ = ["administrator", "outsider", "owner"]

pytestmark = pytest.mark.one_database

MODEL = "openai-chat:loopback"
GUIDE = (ROOT / "docs/operations.md").read_text()
# Elsewhere it names tables.
FIGURES = GUIDE.partition("## Metrics\n")[2].partition("\n## ")[0]
DASHBOARD = (ROOT / "deploy/grafana/hermes-site.json").read_text()
Header = tuple[bytes, bytes]


class Told:
    """An answer of the site."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.status: int = response["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in response["headers"]}
        self.text: str = response["body"].decode()


async def ask(*headers: Header, method: str = "GET") -> Told:
    """Ask the application as it is served, with the runner that it has."""
    asking = HttpCommunicator(application, method, "/metrics", headers=[(b"host", b"testserver"), *headers])
    told = Told(await asking.get_response(timeout=PATIENCE))
    await asking.wait(timeout=PATIENCE)
    return told


async def cookie_of(user: User) -> Header:
    return cookie(await database.write(login, user))


async def token_of(user: User, *, can_read: bool) -> Header:
    """The header of a fresh token."""

    def issue() -> str:
        issued, clear_text = ApiToken.issue(user)
        ApiToken.objects.filter(pk=issued.pk).update(can_read_metrics=can_read)
        return clear_text

    return (b"authorization", b"Bearer " + (await database.write(issue)).encode())


async def change(user: User, **fields: bool) -> None:
    await database.write(lambda: User.objects.filter(pk=user.pk).update(**fields))


async def test_an_administrator_reads_it_in_the_browser(administrator: User) -> None:
    told = await ask(await cookie_of(administrator))
    assert (told.status, told.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "no-store" in told.headers["cache-control"]
    assert figures(told.text)["hermes_turns_running"] == 0


async def test_a_token_with_the_right_reads_it_whosever_it_is(owner: User) -> None:
    told = await ask(await token_of(owner, can_read=True))
    assert (told.status, "hermes_turns_running" in told.text) == (200, True)


async def test_nobody_is_told_what_to_bring() -> None:
    told = await ask()
    assert (told.status, told.headers["www-authenticate"]) == (401, "Bearer")
    assert "API token" in told.text
    assert "hermes_" not in told.text


async def test_a_login_without_the_right_is_refused(owner: User, outsider: User) -> None:
    await change(outsider, is_staff=True)
    for user in (owner, outsider):
        told = await ask(await cookie_of(user))
        assert (told.status, "hermes_" in told.text) == (403, False)


async def test_a_token_without_the_right_is_refused_even_an_administrators(owner: User, administrator: User) -> None:
    for user in (owner, administrator):
        told = await ask(await token_of(user, can_read=False))
        assert (told.status, "hermes_" in told.text) == (403, False)


async def test_ones_right_is_no_other_users(owner: User, outsider: User) -> None:
    await token_of(owner, can_read=True)
    assert (await ask(await token_of(outsider, can_read=False))).status == 403
    assert (await ask(await cookie_of(owner))).status == 403


@pytest.mark.django_db(transaction=True)
async def test_an_unknown_token_is_nobody_even_beside_an_administrators_cookie(administrator: User) -> None:
    wrong = (b"authorization", b"Bearer hermes_wrong")
    assert (await ask(wrong)).status == 401
    assert (await ask(wrong, await cookie_of(administrator))).status == 401


async def test_who_is_deactivated_is_nobody(owner: User, administrator: User) -> None:
    mine, theirs = await token_of(owner, can_read=True), await cookie_of(administrator)
    await change(owner, is_active=False)
    await change(administrator, is_active=False)
    assert [(await ask(header)).status for header in (mine, theirs)] == [401, 401]


async def test_who_is_no_administrator_any_more_is_refused(administrator: User) -> None:
    header = await cookie_of(administrator)
    await change(administrator, is_superuser=False)
    assert (await ask(header)).status == 403


async def test_reading_it_is_a_use_of_the_token(owner: User) -> None:
    await ask(await token_of(owner, can_read=True))
    assert await database.read(lambda: ApiToken.objects.get().last_used_at) is not None


async def test_only_for_reading(owner: User, client: Client) -> None:
    assert (await ask(await token_of(owner, can_read=True), method="HEAD")).status == 200
    assert (await asyncio.to_thread(client.post, "/metrics")).status_code == 405


async def test_the_cache_is_read_in_the_event_loop(administrator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    statistics = runner.pool.statistics

    def noted() -> Statistics:
        threads.append(threading.get_ident())
        return statistics()

    monkeypatch.setattr(runner.pool, "statistics", noted)
    await ask(await cookie_of(administrator))
    assert threads == [threading.get_ident()]


async def test_the_guide_names_every_figure_and_no_other(administrator: User) -> None:
    page = (await ask(await cookie_of(administrator))).text
    told = set(re.findall(r"^# TYPE (hermes_\w+)", page, re.MULTILINE))
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"hermes_[a-z_]+", FIGURES)}
    assert named == told


async def test_no_figure_is_kept_for_each_user_session_or_run(administrator: User) -> None:
    page = (await ask(await cookie_of(administrator))).text
    labels = set(re.findall(r"[{,](\w+)=", "\n".join(re.findall(r"^hermes_.*", page, re.MULTILINE))))
    assert labels <= {"agent", "transcript", "cause", "event", "kind", "model", "status", "software", "le"}


async def test_the_dashboard_asks_for_figures_that_there_are(administrator: User) -> None:
    page = (await ask(await cookie_of(administrator))).text
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)", page, re.MULTILINE))
    panels = json.loads(DASHBOARD)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    # What braces and "by (…)" hold are labels.
    bare = [re.sub(r'"[^"]*"|\{[^}]*\}|by \([^)]*\)', "", expression) for expression in asked]
    names = {name for expression in bare for name in re.findall(r"\b(?:hermes|process)_\w+", expression)}
    names = {re.sub(r"_bucket$", "", name) if name.removesuffix("_bucket") in told else name for name in names}
    assert names <= set(told)
    kinds = {"gauge", "counter", "histogram"}
    assert {told[name] for name in names} == kinds
    assert all(asked)


def labels_of(metric: str) -> set[str]:
    """The labels of a figure of ours, and those that Prometheus gives to all."""
    collectors = getattr(REGISTRY, "_names_to_collectors")  # noqa: B009 - no public name has it
    own = set(getattr(collectors.get(metric), "_labelnames", ()))
    return own | {"job", "instance"} | ({"le"} if metric.endswith("_bucket") else set())


def test_the_dashboard_names_labels_that_there_are() -> None:
    targets = [target for panel in json.loads(DASHBOARD)["panels"] for target in panel["targets"]]
    chosen = 0
    for target in targets:
        selectors = re.findall(r"(\w+)\{([^}]*)\}", target["expr"])
        for metric, conditions in selectors:
            named = set(re.findall(r'(\w+)=~?"', conditions))
            assert named <= labels_of(metric), target
            chosen += len(named - {"job"})
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"]))))
        told = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert grouped <= set.union(*(labels_of(metric) for metric, _ in selectors)), target
        assert told <= (grouped or {"instance"}), target
    assert chosen > 2


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    """Its classic schema: what a dashboard, a panel, a place and a variable must have, and no place given twice."""
    board = json.loads(DASHBOARD)
    assert board.keys() >= {"title", "uid", "schemaVersion", "time", "templating", "panels"}
    assert 8 <= len(board["uid"]) <= 40
    variables = {each["name"]: each["type"] for each in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query"}
    assert set(re.findall(r"\$\{?(\w+)", DASHBOARD)) - {"__rate_interval", "__all"} == set(variables)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel.keys() >= {"id", "type", "title", "datasource", "gridPos", "targets", "fieldConfig", "options"}
        assert panel["fieldConfig"].keys() == {"defaults", "overrides"}
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        place = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert x + width <= 24
        assert not taken & place, panel["title"]
        taken |= place
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_the_guides_configuration_is_yaml() -> None:
    scraping, alerting = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
    (job,) = scraping["scrape_configs"]
    addresses = (ROOT / "deploy/nginx/processes.conf").read_text()
    assert all(f"server {target} " in addresses for target in job["static_configs"][0]["targets"])
    (group,) = alerting["groups"]
    assert all(rule.keys() >= {"alert", "expr", "annotations"} for rule in group["rules"])


@pytest.fixture
def site(start_site: Callable[..., LiveSite], provider: Provider) -> LiveSite:
    """A site whose owner's token may read metrics."""
    started = start_site(HERMES_MODEL=MODEL, HERMES_TURNS_PER_MINUTE="1000")
    let_owner_read_metrics(started)
    return started


def let_owner_read_metrics(site: LiveSite) -> None:
    site.database.run(
        "UPDATE sessions_app_apitoken SET can_read_metrics = %s "
        "WHERE owner_id IN (SELECT id FROM auth_user WHERE username = 'owner')",
        True,
    )


def scrape(site: LiveSite) -> Figures:
    with closing(HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/metrics", headers=token(site))
        return figures(connection.getresponse().read().decode())


def begin(client: Peer) -> None:
    """Begin a turn in a session of the client's own."""
    session_id = client.call("session.create")["result"]["session"]["id"]
    client.call("session.open", session_id=session_id)
    client.call("turn.start", session_id=session_id, text="Hello")


def test_a_site_tells_what_happens_while_it_does_and_afterwards(site: LiveSite, provider: Provider) -> None:
    gates = {user: Gate() for user in ("owner", "outsider")}
    start = scrape(site)
    with peer(site, **token(site)) as mine, peer(site, **token(site, "outsider")) as theirs:
        clients = {"owner": mine, "outsider": theirs}
        for user, gate in gates.items():
            provider.script(Answer(["One ", "two"], gates={1: gate}))
            begin(clients[user])
            gate.stood(PATIENCE)
        assert rises(start, scrape(site)) == {
            "hermes_connections": 2,
            "hermes_turns_running": 2,
            "hermes_agent_cache_entries": 2,
            "hermes_agent_cache_in_turn": 2,
            "hermes_agent_cache_leases": 2,
            "hermes_agent_cache_transcripts": 2,
            "hermes_agent_cache_events_total event=builds": 2,
            "hermes_agent_cache_events_total event=loaded": 2,
        }
        for user, gate in gates.items():
            gate.open()
            clients[user].until(lambda frame: frame["params"]["event"]["type"] == "RUN_FINISHED")
    assert site.stop() == 0
    assert site.errors() == []


def test_a_sites_figures_rise_by_exactly_what_happened(site: LiveSite) -> None:
    start = scrape(site)
    with peer(site, **token(site, "outsider")) as client:
        begin(client)
        client.until(lambda frame: frame["params"]["event"]["type"] == "RUN_FINISHED")
        told = rises(start, scrape(site))
    ((asked, answered),) = site.database.run("SELECT input_tokens, output_tokens FROM sessions_app_turn")
    # Its agent is let go a moment after the answer's end is told.
    for late in ("in_turn", "leases", "events_total event=advanced"):
        told.pop(f"hermes_agent_cache_{late}", None)
    assert told == {
        "hermes_connections": 1,
        f"hermes_turns_ended_total model={MODEL} status=complete": 1,
        f"hermes_turn_duration_seconds_count model={MODEL}": 1,
        f"hermes_turn_first_word_seconds_count model={MODEL}": 1,
        "hermes_guard_verdicts_total agent=built transcript=read": 1,
        "hermes_prompt_cache_misses_total cause=first": 1,
        f"hermes_tokens_total kind=fresh model={MODEL}": asked,
        f"hermes_tokens_total kind=answer model={MODEL}": answered,
        "hermes_agent_cache_entries": 1,
        "hermes_agent_cache_transcripts": 1,
        "hermes_agent_cache_events_total event=builds": 1,
        "hermes_agent_cache_events_total event=loaded": 1,
    }
    assert site.stop() == 0
    assert site.errors() == []
