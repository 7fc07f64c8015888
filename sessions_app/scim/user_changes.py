"""What the attributes of a user that an identity provider sends ask for, by the columns that the site has."""

from __future__ import annotations

from typing import Any

from sessions_app.scim.bodies import Attributes
from sessions_app.scim.errors import bad
from sessions_app.scim.filters import EXTENSION, AllOf, AnyOf, Comparison, Filter, Not, Path, Within
from sessions_app.scim.patching import Operation

Changes = dict[str, Any]
"""Columns of a user, and ``external_id``, with what they are to be."""

_TEXTS = {"username": "username", "externalid": "external_id"}
_NAMES = {"givenname": "first_name", "familyname": "last_name"}
# Attributes of the standard that the site does not keep.
_NOT_KEPT = frozenset(
    (
        *("id", "meta", "schemas", "groups", "password", "displayname", "nickname", "profileurl", "title", "usertype"),
        *("preferredlanguage", "locale", "timezone", "phonenumbers", "ims", "photos", "addresses", "entitlements"),
        *("roles", "x509certificates"),
    )
)
# Likewise parts of a name and of an address.
_PARTS_NOT_KEPT = frozenset(
    ("formatted", "middlename", "honorificprefix", "honorificsuffix", "type", "primary", "display")
)


def changes_of(body: Attributes) -> Changes:
    """Return what an object of attributes asks for. What it leaves out stays; null takes away. Raises ScimError."""
    changes: Changes = {}
    for name, value in body.items():
        changes |= _change(Path(name), value, is_known=True)
    return changes


def patched(operations: list[Operation]) -> Changes:
    """Return what the operations of a PATCH ask for together. Raises ScimError."""
    changes: Changes = {}
    for each in operations:
        changes |= _change(each.path, None if each.verb == "remove" else each.value)
    return changes


def _change(path: Path, value: Any, *, is_known: bool = False) -> Changes:
    """Return what one attribute is to be. One that SCIM does not know is refused, unless ``is_known``: then ignored."""
    attribute, part = path.attribute, path.part
    if attribute == "emails" and part in ("", "value"):
        return _email_change(path, value)
    if attribute == "name" and part in _NAMES:
        return {_NAMES[part]: _text(value)}
    if attribute == "name" and not part:
        return {_NAMES[name]: _text(each) for name, each in _parts(value).items() if name in _NAMES}
    if attribute in _TEXTS and not part:
        return {_TEXTS[attribute]: _text(value)}
    if attribute == "active" and not part:
        return {"is_active": _flag(value)}
    if is_known or attribute in _NOT_KEPT or attribute.startswith(EXTENSION) or part in _PARTS_NOT_KEPT:
        return {}
    raise bad("invalidPath", f"Users have no attribute {attribute[:100]!r}.")


def _parts(value: Any) -> dict[str, Any]:
    if value is None:
        return dict.fromkeys(_NAMES)
    if not isinstance(value, dict):
        raise bad("invalidValue", "'name' is an object with 'givenName' and 'familyName'.")
    return value


def _email_change(path: Path, value: Any) -> Changes:
    if path.filter is not None and not _is_ours(path.filter):
        return {}  # another address than the one that is kept
    if value is None or value == []:
        return {"email": ""}
    if isinstance(value, str):
        return {"email": value}
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise bad("invalidValue", "'emails' is a list of objects with 'value'.")
    first = next((each for each in entries if each.get("primary") in (True, "true", "True")), entries[0])
    return {"email": _text(first.get("value"))}


def _is_ours(asked: Filter) -> bool:
    """Tell whether a filter in a path can be of the address that is kept: the primary one, for work."""
    match asked:
        case Comparison("type", "eq", value):
            return isinstance(value, str) and value.lower() == "work"
        case Comparison("primary", "eq", value):
            return value in (True, "true", "True")
        case AllOf(inner):
            return all(map(_is_ours, inner))
        case AnyOf(inner):
            return any(map(_is_ours, inner))
        case Comparison("value", _, _) | Comparison(_, "pr", _):
            return True
        case Not() | Within() | Comparison():
            return False


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad("invalidValue", "A text is expected.")
    return value.strip()


def _flag(value: Any) -> bool:
    """Return what 'active' is to be; Entra sends it as a text."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise bad("invalidValue", "'active' is true or false.")
    return value
