"""Accounts as an identity provider sees them, and what it may do to them.

1. It sees all users but those it has deleted. Of a user the site keeps a name, given and family name, one e-mail
   address (``work``, primary), whether the account is active, and the provider's own id for it. Other attributes of
   the standard are taken and not kept; a password is one of them, so nobody can log in with one that a provider chose.
   Nor is the e-mail address kept of who has a password of the site's: a link to set another one would go there.
2. A superuser's account is never changed, so the last administrator stays. Of an account of staff only ``active`` and
   ``externalId`` change. Nobody becomes staff or a superuser: there is no attribute for it. Nothing else that is asked
   for with it keeps access from being ended: where that is refused, the account is deactivated and else as it was.
3. To delete an account deactivates it, and it is not found any more; what the user has stays, for the operator to
   keep or to delete. One that comes with the same name and the same ``externalId`` is that account again; the name
   alone is not enough, because a later colleague may have it.
4. Whom an administrator of the site has deactivated is not activated here.

Each change is one transaction that holds the user's row, so of two at once the second sees what the first has done.
"""

from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import ProvisionedUser
from sessions_app.models.provisioning import EXTERNAL_ID_LENGTH
from sessions_app.scim.bodies import Attributes
from sessions_app.scim.errors import ScimError, bad, forbidden, not_found, taken
from sessions_app.scim.queries import Field, by_constant, by_flag, by_id, by_name, by_text, by_time, key_of
from sessions_app.scim.user_changes import Changes, changes_of

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"

_email = by_text("email")
FIELDS: dict[str, Field] = {
    "id": by_id,
    "externalid": by_text("provisioning__external_id", exact=True),
    "username": by_name,
    "name.givenname": by_text("first_name"),
    "name.familyname": by_text("last_name"),
    "emails": _email,
    "emails.value": _email,
    "emails.type": by_constant("work"),
    "emails.primary": by_constant(True),
    "active": by_flag("is_active"),
    "meta.created": by_time("date_joined"),
}
"""What users can be filtered by."""

_OPEN_TO_STAFF = frozenset(("is_active", "external_id"))
_UNIQUE = frozenset(("unique", "alike"))


def visible() -> QuerySet[User]:
    """Return the users whom an identity provider sees."""
    users = get_user_model().objects.filter(provisioning__deleted_at=None)
    return users.select_related("provisioning").order_by("pk")


def find(scim_id: str) -> User:
    """Return a user by the id that they have for an identity provider. Raises ScimError."""
    key = key_of(scim_id)
    user = visible().filter(pk=key).first() if key is not None else None
    if user is None:
        raise not_found()
    return user


def create(body: Attributes) -> User:
    """Make a user who has no password. Raises ScimError."""
    changes = {"is_active": True} | changes_of(body)
    if not changes.get("username"):
        raise bad("invalidValue", "'userName' is missing.")
    with transaction.atomic():
        user = _deleted(changes) or get_user_model()(is_active=True)
        if user._state.adding:
            user.set_unusable_password()
        else:
            ProvisionedUser.objects.filter(pk=user.pk).update(deleted_at=None)
            audit.record(Action.USER_RETURNED, Object(ObjectKind.USER, user.pk))
        _apply(user, changes)
    return find(str(user.pk))


def change(scim_id: str, changes: Changes) -> User:
    """Change a user; where not all of it may be, and it ends their access, do that alone. Raises ScimError."""
    with transaction.atomic():
        user = _locked(find(scim_id).pk)
        ends_access = user.is_active and not user.is_superuser and changes.get("is_active") is False
        try:
            with transaction.atomic():
                _apply(user, changes)
        except ScimError:
            if not ends_access:
                raise
            _apply(find(scim_id), {"is_active": False})
    return find(scim_id)


def delete(scim_id: str) -> None:
    """Deactivate a user, who is not found any more. Raises ScimError."""
    with transaction.atomic():
        user = _locked(find(scim_id).pk)
        if user.is_superuser:
            raise forbidden(_OF_SUPERUSER)
        _apply(user, {"is_active": False})
        ProvisionedUser.objects.update_or_create(user=user, defaults={"deleted_at": Now()})
        audit.record(Action.USER_ENDED, Object(ObjectKind.USER, user.pk))


_OF_SUPERUSER = "This is an administrator of the site. Administrators are changed by hand, in the site's admin."
_OF_STAFF = "This is an account of staff: of it only 'active' can be changed. The rest is changed in the site's admin."
_DEACTIVATED = "An administrator of the site has deactivated this account. Only they can activate it, in the admin."
_LONG_ID = f"'externalId' has at most {EXTERNAL_ID_LENGTH} characters."


def _locked(key: int) -> User:
    """Return a user whose row nobody else changes until the transaction ends. Raises ScimError."""
    # By itself: the other row, which may not be there, cannot be locked.
    get_user_model().objects.select_for_update(no_key=True).filter(pk=key).first()
    return find(str(key))


def _deleted(changes: Changes) -> User | None:
    """Return the account that a provider has deleted and now makes again, locked."""
    external_id = changes.get("external_id")
    if not external_id:
        return None
    gone = get_user_model().objects.filter(
        username=changes["username"], provisioning__external_id=external_id, provisioning__deleted_at__isnull=False
    )
    for key in gone.values_list("pk", flat=True):
        get_user_model().objects.select_for_update(no_key=True).filter(pk=key).first()
    return gone.select_related("provisioning").first()


def _apply(user: User, changes: Changes) -> None:
    row = ProvisionedUser.objects.filter(pk=user.pk).first() or ProvisionedUser(user=user)
    asked = dict(changes)
    external_id = asked.pop("external_id", row.external_id)
    if not user._state.adding and user.has_usable_password() and not (user.is_staff or user.is_superuser):
        asked.pop("email", None)
    if "username" in asked:
        asked["username"] = get_user_model().normalize_username(asked["username"])
    new = {name: value for name, value in asked.items() if user._state.adding or getattr(user, name) != value}
    changed = {*new, *({"external_id"} if external_id != row.external_id else ())}
    _check(user, row, changed, new)
    if len(external_id) > EXTERNAL_ID_LENGTH:
        raise bad("invalidValue", _LONG_ID)
    if not changed:
        return
    _store(user, new)
    row.user, row.external_id = user, external_id
    if "is_active" in new:
        # After the trigger has unset it.
        row.is_deactivated = not user.is_active
    row.save()


def _check(user: User, row: ProvisionedUser, changed: set[str], new: Changes) -> None:
    if user._state.adding:
        return
    if user.is_superuser and changed:
        raise forbidden(_OF_SUPERUSER)
    if user.is_staff and changed - _OPEN_TO_STAFF:
        raise forbidden(_OF_STAFF)
    if new.get("is_active") and not row.is_deactivated:
        raise forbidden(_DEACTIVATED)


def _store(user: User, new: Changes) -> None:
    """Store what is new of a user. Raises ScimError where the site's rules forbid it."""
    for name, value in new.items():
        setattr(user, name, value)
    # Whatever else an old account has: that was not asked for, and must not keep it from being deactivated.
    others = {field.name for field in user._meta.fields} - new.keys()
    try:
        user.clean_fields(exclude=others)
        user.validate_unique(exclude=others)
        with transaction.atomic():
            user.save(update_fields=None if user._state.adding else [*new])
    except ValidationError as error:
        raise _refusal(error) from None
    except IntegrityError:
        # Somebody took it a moment ago.
        raise taken(_TAKEN) from None


_TAKEN = (
    "This name is taken, or looks too much like one that is. A deleted account keeps its name: rename or delete it in"
    " the site's admin."
)


def _refusal(error: ValidationError) -> ScimError:
    for name, found in error.error_dict.items():
        if name == "username" and any(each.code in _UNIQUE for each in found):
            return taken(_TAKEN)
    told = " ".join(f"{name}: {' '.join(found)}" for name, found in error.message_dict.items())
    return ScimError(HTTPStatus.BAD_REQUEST, told, "invalidValue")


def groups_of(users: list[User]) -> dict[int, list[tuple[int, str]]]:
    """Return the groups of some users that an identity provider sees, by the users' keys: (key, name) of each."""
    found: dict[int, list[tuple[int, str]]] = {user.pk: [] for user in users}
    seen = Group.objects.filter(provisioning__isnull=False, provisioning__deleted_at=None, user__in=users)
    for user_id, key, name in seen.order_by("pk").values_list("user", "pk", "name"):
        found[user_id].append((key, name))
    return found
