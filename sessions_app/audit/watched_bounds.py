"""What is watched of the bounds of users: what they may spend, and how long what they have is kept."""

from __future__ import annotations

from sessions_app.audit.actions import Action, ObjectKind
from sessions_app.audit.details import Details
from sessions_app.audit.watching import Watched
from sessions_app.models import Budget, DeletionRequest, LegalHold, RetentionPolicy

_BUDGET = Action.BUDGET_CREATED, Action.BUDGET_CHANGED, Action.BUDGET_DELETED
_RETENTION = Action.RETENTION_CREATED, Action.RETENTION_CHANGED, Action.RETENTION_DELETED
_HOLD = Action.HOLD_MADE, None, Action.HOLD_ENDED
_DELETION = Action.DELETION_ASKED, None, Action.DELETION_ENDED


def models() -> list[Watched]:
    """Return the models."""
    return [
        Watched(Budget, ObjectKind.BUDGET, *_BUDGET, describe=_budget),
        Watched(RetentionPolicy, ObjectKind.RETENTION, *_RETENTION, describe=_policy),
        Watched(LegalHold, ObjectKind.HOLD, *_HOLD, describe=lambda row: {"user": row.owner_id}),
        Watched(DeletionRequest, ObjectKind.DELETION, *_DELETION, describe=_deletion),
    ]


def _budget(row: Budget) -> Details:
    told: Details = {"user": row.user_id, "group": row.group_id, "per": row.per, "unit": row.unit}
    return {**told, "amount": row.amount, "warn_at": row.warn_at}


def _policy(row: RetentionPolicy) -> Details:
    return {"group": row.group_id, "days": row.days, "archived_days": row.archived_days}


def _deletion(row: DeletionRequest) -> Details:
    return {"user": row.owner_id, "format": row.kind}
