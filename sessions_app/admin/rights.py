"""Which right shows or changes what, beyond Django's four rights per model.

docs/operations.md has the whole table. Who may change rows of a model may view them: that is Django's own rule.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import CharField, F, Value
from django.db.models.expressions import Combinable
from django.http import HttpRequest


def may_view(request: HttpRequest, model: str) -> bool:
    """Tell whether the user may view rows of one of our models."""
    return any(request.user.has_perm(f"sessions_app.{right}_{model}") for right in ("view", "change"))


def may_read(request: HttpRequest) -> bool:
    """Tell whether the user may read what was said; a session's title is made of it."""
    return may_view(request, "message")


def may_see_prompts(request: HttpRequest) -> bool:
    """Tell whether the user may read system prompts, those that sessions keep included."""
    return may_view(request, "agentprofile")


def title(request: HttpRequest, field: str) -> Combinable:
    """Return what a query selects of a title: NULL for a user who may not read it, so that no page can show it."""
    return F(field) if may_read(request) else Value(None, output_field=CharField())


def is_superuser(request: HttpRequest) -> bool:
    """Tell whether the user is a superuser: only they change anybody's rights."""
    return request.user.is_superuser


def may_touch(request: HttpRequest, account: User) -> bool:
    """Tell whether the user may change or delete an account, or what belongs to it.

    Accounts of staff are for superusers only: who could set the password of one would have its rights.
    """
    return is_superuser(request) or not (account.is_staff or account.is_superuser)
