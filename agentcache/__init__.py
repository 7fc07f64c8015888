"""Keeps each user's agent alive between turns, and never lets it answer from a stale transcript.

Plain Python, no Django: `baseline` (what an agent has seen), `guard` (may it still be believed), `cache` (who lives,
who leaves). The words are those of docs/; the turn of a session goes: `AgentCache.use`, stamp read, `judge`, then
either the transcript in memory or `Lease.keep` of one that was read, and `Lease.rebaseline` after each write.
"""

from agentcache.baseline import Baseline, Stamp, rebaseline
from agentcache.cache import AgentCache
from agentcache.guard import Kind, Missing, Verdict, judge
from agentcache.lease import Lease
from agentcache.statistics import Statistics

__all__ = [
    "AgentCache",
    "Baseline",
    "Kind",
    "Lease",
    "Missing",
    "Stamp",
    "Statistics",
    "Verdict",
    "judge",
    "rebaseline",
]
