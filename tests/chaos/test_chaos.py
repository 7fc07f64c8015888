"""Three processes, thirty users, and everything that can die does: nothing is lost, doubled or torn.

CHAOS_SEED repeats a run, as far as timing allows; CHAOS_SECONDS makes it longer (`make chaos`).

It is thorough: each kind of death the suite asks about by itself, in tests/turns (`test_recovery`, `test_killed_*`,
`test_lost_*`, `test_bus`), and whether a check would find what is wrong in `test_checks`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.checks import CHECKS
from tests.chaos.cluster import Cluster, Scale, cluster
from tests.chaos.faults import Faults
from tests.chaos.histories import whole_histories
from tests.chaos.provider import Request, numbering_provider
from tests.chaos.run import Chaos, figures
from tests.databases import Database
from tests.guard.oracle import Oracle

MODEL = "openai-chat:loopback"
LEASE = 3.0
SECONDS = float(os.environ.get("CHAOS_SECONDS") or 8)
SEED = os.environ.get("CHAOS_SEED") or secrets.token_hex(4)
SCALE = Scale(processes=3, users=30)


# One of each user, and one that all share; of more than they can spend.
_BUDGETS = """
WITH everybody AS (INSERT INTO auth_group (name) VALUES ('everybody') RETURNING id),
users AS (SELECT id FROM auth_user WHERE username LIKE 'user%'),
members AS (INSERT INTO auth_user_groups (user_id, group_id) SELECT users.id, everybody.id FROM users, everybody)
INSERT INTO sessions_app_budget (user_id, group_id, per, unit, amount)
SELECT id, NULL, 'month', 'tokens', 1000000000000 FROM users
UNION ALL SELECT NULL, id, 'month', 'tokens', 1000000000000 FROM everybody
"""


@pytest.fixture
def log() -> Iterator[list[Request]]:
    """What the provider is asked; its address is in the environment."""
    with pytest.MonkeyPatch.context() as environment:
        provider, requests = numbering_provider(SEED)
        environment.setenv("OPENAI_BASE_URL", provider.base_url)
        environment.setenv("OPENAI_API_KEY", "loopback")
        yield requests
        provider.close()


@pytest.fixture
def running(static_files: None, postgres_template: Database, log: list[Request], tmp_path: Path) -> Iterator[Cluster]:
    """Its processes leave what they have printed in `tmp_path`."""
    env = {
        "HERMES_MODEL": MODEL,
        "HERMES_TURN_LEASE": str(LEASE),
        "HERMES_DRAIN_GRACE": "2",
        "HERMES_TURNS_PER_MINUTE": "100000",
        "HERMES_PROVIDER_TIMEOUT": "3",
    }
    with cluster(SCALE, postgres_template, **env) as started:
        started.database.run(_BUDGETS)
        yield started
    for number, node in enumerate(started.nodes):
        (tmp_path / f"{number}.log").write_text("\n".join(node.output))
    print(f"What the processes have printed is in {tmp_path}.")


@pytest.mark.thorough
async def test_nothing_is_lost_doubled_or_torn(running: Cluster, log: list[Request]) -> None:
    chaos = Chaos(running, log, Faults(running, SEED, LEASE), SEED, SECONDS)
    try:
        evidence = await chaos.run()
    finally:
        tell(chaos)
    print(figures(chaos, evidence))
    found = [sentence for check in CHECKS for sentence in check(evidence)]
    found += await whole_histories(evidence, Oracle(MODEL))
    assert not found, "\n".join(found[:30])


def tell(chaos: Chaos) -> None:
    """Prints what it takes to understand a failure, and to repeat it."""
    print(f"\nCHAOS_SEED={SEED} CHAOS_SECONDS={SECONDS:g}")
    for time, what, whom in chaos.faults.deeds:
        print(time, what, whom)
