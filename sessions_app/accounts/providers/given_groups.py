"""Groups that a provider gives and takes, at each login.

A group that a user had before, given by hand, gets no row (``GivenGroup``) and is never taken. One that the provider
gave is taken when its claim has it no more. Which groups it may give an operator says; rights of staff are no group.
"""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.db import transaction

from sessions_app.accounts.models import GivenGroup
from sessions_app.conversations import access


@transaction.atomic
def set_given(account: SocialAccount, wanted: set[int]) -> bool:
    """Let the provider's groups of a user be these; False, and nothing, where the user may not act.

    Two logins of one user wait for each other (``lock_user``), so none undoes half of the other.
    """
    user = account.user
    if access.lock_user(user.pk) is None:
        return False
    had = set(GivenGroup.objects.filter(account=account).values_list("group", flat=True))
    member = set(user.groups.values_list("pk", flat=True))
    # What is there without a row was given by hand.
    given = (wanted - member) | (wanted & had)
    user.groups.add(*Group.objects.filter(pk__in=given - member))
    GivenGroup.objects.bulk_create(
        [GivenGroup(account=account, group_id=group) for group in given - had], ignore_conflicts=True
    )
    take(account, had - wanted)
    return True


def take(account: SocialAccount, groups: set[int] | None = None) -> None:
    """Take groups that the provider gave, all by default; none that another provider gives to this user, too."""
    rows = GivenGroup.objects.filter(account=account)
    rows = rows if groups is None else rows.filter(group__in=groups)
    taken = set(rows.values_list("group", flat=True))
    rows.delete()
    taken -= set(GivenGroup.objects.filter(account__user=account.user_id).values_list("group", flat=True))
    account.user.groups.remove(*taken)
