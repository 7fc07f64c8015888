"""What claims mean here: groups, a name to begin with, an address that may be believed. Whatever their types are."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.text import slugify

LONGEST_NAME = 60
"""Characters of a name that is made of a claim; a suffix may follow."""


def groups_in(claims: dict[str, Any], name: str) -> set[str]:
    """Return the texts that a claim has: a list, or one text. A name with dots may be a path through objects."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for step in name.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    values = found if isinstance(found, list) else [found]
    return {value for value in values if isinstance(value, str)}


def name_in(claims: dict[str, Any]) -> str:
    """Return a name that a user could have, as near to the provider's own as may be; somebody else may have it."""
    address = claims.get("email")
    offered = (claims.get("preferred_username"), claims.get("name"), address, "user")
    return next(name for offer in offered if isinstance(offer, str) and (name := _as_name(offer)))


def email_in(claims: dict[str, Any]) -> str:
    """Return the e-mail address, where the provider says that it has verified it."""
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str) or len(address) > 254:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


def text_in(claims: dict[str, Any], name: str) -> str:
    """Return a claim that is a text, as far as a user's first or last name goes."""
    value = claims.get(name)
    return value.strip()[:150] if isinstance(value, str) and value.isprintable() else ""


def _as_name(text: str) -> str:
    """Return the text as a user's name: as it is, or its letters and digits."""
    users = get_user_model()
    text = cast(User, users).normalize_username(text.partition("@")[0].strip())
    if not _is_name(text):
        text = slugify(text, allow_unicode=True)
    text = text[:LONGEST_NAME]
    return text if _is_name(text) else ""


def _is_name(text: str) -> bool:
    field = get_user_model()._meta.get_field("username")
    try:
        field.run_validators(text)
    except ValidationError:
        return False
    return bool(text)
