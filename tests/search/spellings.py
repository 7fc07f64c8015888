"""Texts in all of their spellings: letters of every kind, and other ways to write the same."""

from __future__ import annotations

import unicodedata
from typing import Literal, TypeAlias

from hypothesis import strategies as st

from sessions_app.conversations.search.folding import fold, joins

Form: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

# What joins, folds to several letters or has a width of its own, beside any other character that can be stored.
_SPECIAL = (
    "aAeéÅåİıiIßẞſςσΣᾳﬁ²½…ﬀ㎏ｶﾞﾊﾟガパが"
    "한국하\u1112\u1161\u11ab\u314e\u314f\u3134\uffa1\uffc2\u0301\u0323\u0345\u3099\u0307 '\"%_\\-*()"
)
letters = st.sampled_from(_SPECIAL) | st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def spelled(text: str) -> st.SearchStrategy[str]:
    """Equivalent spellings of a text, also ones that mix forms, cases and widths."""
    halves = st.integers(0, len(text)).filter(lambda cut: boundary(text[:cut], text[cut:]))
    return halves.flatmap(lambda cut: st.tuples(_form(text[:cut]), _form(text[cut:]))).map("".join)


def boundary(before: str, after: str) -> bool:
    """Tell whether the two are still what they are when one follows the other, in any form."""
    return not (before and after) or not any(joins(form(after)[0]) for form in (str, fold, _decomposed))


def _form(text: str) -> st.SearchStrategy[str]:
    forms = {unicodedata.normalize(form, text) for form in FORMS} | {text}
    cases = {way(form) for form in forms for way in (str, str.upper, str.lower, str.casefold, fold)}
    wide = {form.translate(_WIDE) for form in cases}
    return st.sampled_from(sorted(form for form in cases | wide if fold(form) == fold(text)))


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)
