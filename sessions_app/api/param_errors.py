"""What is wrong with a request's parameters, in a sentence for its sender: no word of Python, none of what was sent."""

from __future__ import annotations

from pydantic import ValidationError

_UNKNOWN = "There is a parameter that this method does not have."
_UNKNOWN_MEMBER = "{place} has a member that it must not have."
_OTHER = "{place} is not of the kind that this method takes."
# By pydantic's name of the broken rule; what is in braces is the parameter, or pydantic's context.
SENTENCES = {
    "missing": "{place} is missing.",
    "model_type": "{place} must be an object.",
    "string_type": "{place} must be a string.",
    "int_type": "{place} must be an integer.",
    "bool_type": "{place} must be true or false.",
    "list_type": "{place} must be an array.",
    "greater_than_equal": "{place} must be at least {ge}.",
    "less_than_equal": "{place} must be at most {le}.",
    "too_short": "{place} must have at least {min_length} members.",
    "too_long": "{place} must have at most {max_length} members.",
    "value_error": "{place} {error}.",  # our own validators': they say what follows the name
    "extra_forbidden": _UNKNOWN,
}


def sentence(error: ValidationError) -> str:
    """Name the first broken rule."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "extra_forbidden" and len(first["loc"]) > 1:
        return _UNKNOWN_MEMBER.format(place=_place(first["loc"][:-1]))
    return SENTENCES.get(first["type"], _OTHER).format(place=_place(first["loc"]), **first.get("ctx", {}))


def _place(loc: tuple[int | str, ...]) -> str:
    name, *inner = loc or ("params",)
    return f"{name}{''.join(f'[{index}]' for index in inner)}"
