"""Groups as an identity provider sees them, and what it may do to them.

1. It sees the groups that it has made, and those that a superuser has handed over to it in the admin; no others.
2. A group that gives rights in the admin is left alone, unless a superuser has said that the provider may fill it: who
   can say who is in such a group can have those rights.
3. To delete a group empties it, and it is not found any more. The group itself stays: what is only for it (profiles,
   features) must not become everybody's. The same name made again is that group again.
4. Members are users. Those of a request are taken together: some statements, however many operations name them.

Each change is one transaction that holds the group's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from sessions_app.models import ProvisionedGroup
from sessions_app.models.provisioning import EXTERNAL_ID_LENGTH
from sessions_app.scim import users
from sessions_app.scim.bodies import Attributes
from sessions_app.scim.errors import bad, forbidden, not_found, taken
from sessions_app.scim.filters import AnyOf, Comparison, Filter, Value
from sessions_app.scim.patching import Operation
from sessions_app.scim.queries import NEVER, Field, by_id, by_text, by_time, key_of

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
_NAME_LENGTH = 150
_AT_ONCE = 1_000
_NOT_KEPT = frozenset(("id", "meta", "schemas"))
_HOLDS_RIGHTS = (
    "This group gives rights in the site's admin. A superuser can let SCIM fill it, on the group's page in the admin."
)


def _by_member(operator: str, value: Value) -> Q:
    if operator != "eq":
        raise bad("invalidFilter", "Members are compared by 'eq' only.")
    key = key_of(value)
    # By itself, so that no group is found twice.
    return NEVER if key is None else Q(pk__in=Group.objects.filter(user=key).values("pk"))


FIELDS: dict[str, Field] = {
    "id": by_id,
    "externalid": by_text("provisioning__external_id", exact=True),
    "displayname": by_text("name"),
    "members": _by_member,
    "members.value": _by_member,
    "meta.created": by_time("provisioning__created_at"),
}
"""What groups can be filtered by."""


@dataclass(slots=True)
class Changes:
    """What is asked of a group: a new name, another ``external_id`` (None: as it is), members who come and go.

    ``replaces``: those who are in it and do not come leave.
    """

    name: str | None = None
    external_id: str | None = None
    replaces: bool = False
    add: set[int] = field(default_factory=set)
    remove: set[int] = field(default_factory=set)

    def put(self, keys: set[int]) -> None:
        """Have these be the members, and no others."""
        self.replaces, self.add, self.remove = True, keys, set()

    def take_in(self, keys: set[int]) -> None:
        """Have these be members too."""
        self.add |= keys
        self.remove -= keys

    def let_go(self, keys: set[int]) -> None:
        """Have these not be members."""
        self.remove |= keys
        self.add -= keys


def visible() -> QuerySet[Group]:
    """Return the groups that an identity provider sees."""
    groups = Group.objects.filter(provisioning__isnull=False, provisioning__deleted_at=None)
    return groups.select_related("provisioning").order_by("pk")


def find(scim_id: str) -> Group:
    """Return a group by the id that it has for an identity provider. Raises ScimError."""
    key = key_of(scim_id)
    group = visible().filter(pk=key).first() if key is not None else None
    if group is None:
        raise not_found()
    return group


def create(body: Attributes) -> Group:
    """Make a group. Raises ScimError."""
    changes = changes_of(body)
    if not changes.name:
        raise bad("invalidValue", "'displayName' is missing.")
    with transaction.atomic():
        group = _deleted(changes.name) or _new(changes.name)
        _apply(group, changes)
    return find(str(group.pk))


def change(scim_id: str, changes: Changes) -> Group:
    """Change a group. Raises ScimError."""
    with transaction.atomic():
        _apply(_locked(scim_id), changes)
    return find(scim_id)


def delete(scim_id: str) -> None:
    """Empty a group, which is not found any more. Raises ScimError."""
    with transaction.atomic():
        group = _locked(scim_id)
        _apply(group, Changes(replaces=True))
        ProvisionedGroup.objects.filter(pk=group.pk).update(deleted_at=Now())


def changes_of(body: Attributes) -> Changes:
    """Return what an object of attributes asks for. What it leaves out stays. Raises ScimError."""
    changes = Changes()
    for name in ("displayname", "externalid"):
        if name in body:
            _set_text(changes, name, body[name])
    if "members" in body:
        changes.put(set(_keys(body["members"])))
    return changes


def patched(operations: list[Operation]) -> Changes:
    """Return what the operations of a PATCH ask for together. Raises ScimError."""
    changes = Changes()
    for each in operations:
        if each.path.attribute == "members":
            _change_members(changes, each)
        elif each.path.attribute in ("displayname", "externalid") and not each.path.part:
            _set_text(changes, each.path.attribute, None if each.verb == "remove" else each.value)
        elif each.path.attribute not in _NOT_KEPT:
            raise bad("invalidPath", f"Groups have no attribute {each.path.attribute[:100]!r}.")
    return changes


def members_of(group: Group) -> list[tuple[int, str]]:
    """Return (key, name) of a group's members that an identity provider sees."""
    return list(users.visible().filter(groups=group).values_list("pk", "username"))


def _set_text(changes: Changes, name: str, value: Any) -> None:
    if not isinstance(value, str | None):
        raise bad("invalidValue", "A text is expected.")
    text = (value or "").strip()
    if name == "externalid":
        if len(text) > EXTERNAL_ID_LENGTH:
            raise bad("invalidValue", f"'externalId' has at most {EXTERNAL_ID_LENGTH} characters.")
        changes.external_id = text
        return
    if not 0 < len(text) <= _NAME_LENGTH:
        raise bad("invalidValue", f"'displayName' has 1 to {_NAME_LENGTH} characters.")
    changes.name = text


def _change_members(changes: Changes, operation: Operation) -> None:
    path, value = operation.path, operation.value
    if path.filter is not None:
        if operation.verb != "remove" or path.part:
            raise bad("invalidPath", "members[…] is for removals; members are added by 'members' alone.")
        changes.let_go(set(_keys_in(path.filter)))
    elif path.part:
        raise bad("invalidPath", "Members are added and removed as a whole.")
    elif operation.verb == "add":
        changes.take_in(set(_keys(value)))
    elif operation.verb == "replace":
        changes.put(set(_keys(value)))
    elif value is None:
        changes.put(set())
    else:
        # As Entra removes some.
        changes.let_go(set(_keys(value)))


def _keys(value: Any) -> Iterator[int]:
    """Return the keys of the users whom a list of members names. Raises ScimError."""
    for each in [] if value is None else value if isinstance(value, list) else [value]:
        if not isinstance(each, dict) or str(each.get("type", "User")).lower() != "user":
            raise bad("invalidValue", "Members are objects with the 'value' of a user's id; groups have no groups.")
        if (key := key_of(each.get("value"))) is None:
            raise _unknown(each.get("value"))
        yield key


def _keys_in(asked: Filter) -> Iterator[int]:
    match asked:
        case Comparison("value", "eq", value):
            if (key := key_of(value)) is not None:
                yield key
        case AnyOf(inner):
            for each in inner:
                yield from _keys_in(each)
        case _:
            raise bad("invalidFilter", 'Members are removed by members[value eq "ID"].')


def _unknown(value: object) -> Exception:
    return bad("invalidValue", f"There is no user with the id {str(value)[:50]!r}.")


def _locked(scim_id: str) -> Group:
    """Return a group whose row nobody else changes until the transaction ends. Raises ScimError."""
    group = find(scim_id)
    Group.objects.select_for_update(no_key=True).filter(pk=group.pk).first()
    return find(scim_id)


def _deleted(name: str) -> Group | None:
    """Return the group that a provider has deleted and now makes again, there for it again."""
    gone = Group.objects.filter(name=name, provisioning__deleted_at__isnull=False)
    if (group := gone.first()) is None:
        return None
    ProvisionedGroup.objects.filter(pk=group.pk).update(deleted_at=None)
    return _locked(str(group.pk))


def _new(name: str) -> Group:
    _check_name(name, None)
    try:
        with transaction.atomic():
            group = Group.objects.create(name=name)
    except IntegrityError:
        raise _taken() from None
    ProvisionedGroup.objects.create(group=group)
    return group


def _check_name(name: str, group: Group | None) -> None:
    others = Group.objects.filter(name__iexact=name)
    if (others.exclude(pk=group.pk) if group else others).exists():
        raise _taken()


def _taken() -> Exception:
    return taken("There is a group with this name. A superuser can hand it over to SCIM, on its page in the admin.")


def _apply(group: Group, changes: Changes) -> None:
    row = ProvisionedGroup.objects.get(pk=group.pk)
    if not row.may_hold_rights and group.permissions.exists():
        raise forbidden(_HOLDS_RIGHTS)
    if changes.name is not None and changes.name != group.name:
        _rename(group, changes.name)
    if changes.external_id is not None:
        ProvisionedGroup.objects.filter(pk=group.pk).update(external_id=changes.external_id)
    _change_membership(group, changes)


def _rename(group: Group, name: str) -> None:
    _check_name(name, group)
    try:
        with transaction.atomic():
            group.name = name
            group.save(update_fields=["name"])
    except IntegrityError:
        raise _taken() from None


def _change_membership(group: Group, changes: Changes) -> None:
    """Have the members be as asked, in portions; who is not there for the provider stays what they are."""
    leaving = set(changes.remove)
    if changes.replaces:
        leaving |= {key for key, _ in members_of(group)} - changes.add
    for some in _portions(changes.add):
        known = set(users.visible().filter(pk__in=some).values_list("pk", flat=True))
        if lacking := set(some) - known:
            raise _unknown(min(lacking))
        group.user_set.add(*some)
    for some in _portions(leaving):
        group.user_set.remove(*some)


def _portions(keys: Iterable[int]) -> Iterator[list[int]]:
    """Return the keys in one order, so that two who change the same do not wait in a circle."""
    ordered = sorted(keys)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
