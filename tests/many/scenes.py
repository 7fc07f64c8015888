"""Turns that a process is in the middle of, each at a chosen point, while another process has the same session open.

The provider stands at a gate for those that talk to it. Those in the database stand at a trigger, which makes the
transaction wait there: a turn is held where its text says, for as long as the test wants, and a process that sleeps
then loses its transaction at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.databases import Database
from tests.many.outside import locked, until
from tests.many.tab import Tab
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

BEGIN, STEP, END, COMMIT = (f"held in its {point}" for point in ("begin", "step", "end", "commit"))
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')

_TRIGGERS = f"""
CREATE FUNCTION tests_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock_shared(1) THEN
    PERFORM set_config('lock_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '1', true);
    PERFORM pg_advisory_xact_lock_shared(1);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tests_begin AFTER INSERT ON sessions_app_turn FOR EACH ROW
  WHEN (NEW.text = '{BEGIN}') EXECUTE FUNCTION tests_hold();
CREATE TRIGGER tests_step AFTER UPDATE ON sessions_app_turn FOR EACH ROW
  WHEN (NEW.text = '{STEP}' AND NEW.answer_id <> OLD.answer_id) EXECUTE FUNCTION tests_hold();
CREATE TRIGGER tests_end AFTER UPDATE ON sessions_app_turn FOR EACH ROW
  WHEN (NEW.text = '{END}' AND NEW.status <> OLD.status) EXECUTE FUNCTION tests_hold();
CREATE CONSTRAINT TRIGGER tests_commit AFTER UPDATE ON sessions_app_turn DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.text = '{COMMIT}' AND NEW.status <> OLD.status) EXECUTE FUNCTION tests_hold();
"""
_HELD = "SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())"
_HELD += " AND locktype = 'advisory' AND NOT granted"
_OPEN = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND xact_start IS NOT NULL"


@dataclass
class Scene:
    """One user's session with a running turn: `here` is a tab at its owner, `there` at another process."""

    text: str
    here: Tab
    there: Tab
    chat: str = ""
    run_id: str = ""
    gate: Gate = field(default_factory=Gate)
    queued: list[str] = field(default_factory=list)
    request: int = 0
    request_there: int = 0

    def play(self, provider: Provider, *answers: Answer) -> None:
        """Begin the turn; returns when the provider stands at the gate of its last answer."""
        self.open()
        provider.script(*answers)
        self.run_id = self.here.ask(self.chat, self.text)
        self.gate.stood(PATIENCE)

    def open(self) -> None:
        self.chat = self.here.new_session()
        self.there.open(self.chat)

    def queue(self, *texts: str) -> None:
        """What is to run after it."""
        self.queued = [self.here.ask(self.chat, text) for text in texts]


def install(database: Database) -> None:
    """Make turns stop where their text says, once that is asked for."""
    database.run(_TRIGGERS)


@contextmanager
def holding(database: Database) -> Iterator[Held]:
    """Hold the turns that come to their points, until the block's end."""
    with locked(database, "SELECT pg_advisory_xact_lock(1)"):
        yield Held(database)


class Held:
    """The transactions that are held."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pids: list[int] = []

    def come(self, count: int) -> None:
        """Return once so many stand there."""
        self._pids = [pid for (pid,) in until(self._database, count, _HELD)]

    def end(self) -> None:
        """Return once their transactions are over, one way or the other."""
        until(self._database, 0, _OPEN, self._pids)
