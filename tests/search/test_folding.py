"""Which texts are equal for search, and where in a stored text a query was found."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sessions_app.conversations.search.folding import PIECE_LENGTH, find, fold, joins, pieces
from tests.search.spellings import FORMS, boundary, letters, spelled

EQUAL = {
    "composed and decomposed": ("caf\u00e9", "cafe\u0301"),
    "marks in another order": ("a\u0323\u0301", "a\u0301\u0323"),
    "Angstrom sign": ("\u212b", "\u00c5"),
    "Ohm sign": ("\u2126", "\u03c9"),
    "full-width Latin": ("Ｈｅｌｌｏ　１２３", "hello 123"),
    "half-width katakana with voiced marks": ("ﾊﾝｶｸｶﾞﾊﾟ", "ハンカクガパ"),
    "decomposed kana": ("か\u3099", "が"),
    "Hangul jamo": ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
    "half-width Hangul": ("\uffa1\uffc2", "가"),
    "ligature": ("ﬁne ﬀ", "fine ff"),
    "superscript": ("x²", "x2"),
    "Roman numeral": ("Ⅷ", "viii"),
    "ellipsis": ("…", "..."),
    "no-break space": ("a\u00a0b", "a b"),
    "square": ("㎏", "kg"),
    "circled": ("①", "1"),
    "compatibility ideograph": ("\uf900", "豈"),
    "mixed case": ("MiXeD", "mIxEd"),
    "sharp s": ("Straße", "STRASSE"),
    "capital sharp s": ("STRAẞE", "strasse"),
    "final sigma": ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    "sigma in its other form": ("λόγος", "λόγοσ"),
    "Cyrillic case": ("ПРИВЕТ", "привет"),
    "Cherokee case": ("Ꭰ", "ꭰ"),
    "a mark that is a letter when folded": ("ᾳ", "αι"),
    "long s": ("ſ", "s"),
    "Kelvin sign": ("K", "k"),
    "dotted I decomposed": ("İ", "i\u0307"),
}
DIFFERENT = {
    "an accent": ("e", "é"),
    "an accent within": ("cafe", "café"),
    "dotless i": ("ı", "i"),
    "dotted capital I": ("İ", "I"),
    "hiragana and katakana": ("か", "カ"),
    "voiced": ("か", "が"),
    "look-alikes": ("a", "а"),
    "a syllable and its beginning": ("하", "한"),
}


_form = unicodedata.normalize
_UNASSIGNED = {"Cn", "Co", "Cs"}


@pytest.mark.parametrize("pair", EQUAL.values(), ids=EQUAL)
def test_equal_texts(pair: tuple[str, str]) -> None:
    one, other = pair
    assert fold(one) == fold(other)
    for form in FORMS:
        assert fold(_form(form, one)) == fold(other)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_different_texts(pair: tuple[str, str]) -> None:
    one, other = pair
    assert fold(one) != fold(other)
    assert find(other, fold(one)) is None


@pytest.mark.parametrize(
    ("text", "query", "span"),
    [
        ("The Quick fox", "quick", "Quick"),
        ("un cafe\u0301 noir", "CAFÉ", "cafe\u0301"),
        ("die Straße", "ass", "aß"),
        ("die Straße", "s", "S"),
        ("a ﬁne day", "in", "ﬁn"),
        ("… ② x² ½", "x2", "x²"),
        ("ﾊﾝｶｸｶﾞ", "ガ", "ｶﾞ"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "국", "\u1100\u116e\u11a8"),
        ("İstanbul", "stan", "stan"),
        ("é" * 1000 + "x" + "é" * 1000, "éxé", "éxé"),
        ("e\u0301" * 1000 + "x" + "e\u0301" * 1000, "éxé", "e\u0301xe\u0301"),
    ],
)
def test_a_span_covers_the_stored_characters(text: str, query: str, span: str) -> None:
    found = find(text, fold(query))
    assert found is not None
    assert text[slice(*found)] == span


@given(st.text(letters, max_size=60), st.sampled_from([1, 2, 7, PIECE_LENGTH]))
@example("\u0345\u0301", 1)
@example("a\u0301\u0323\u0345", 1)
@example("ㅎㅏㄴ", 1)
def test_pieces_fold_as_the_whole_text_does(text: str, length: int) -> None:
    assert "".join(pieces(text, length)) == text
    whole = _form("NFKC", _form("NFKD", _form("NFD", text).casefold()).casefold())
    assert "".join(fold(piece) for piece in pieces(text, length)) == whole == fold(text)


@given(st.text(letters, max_size=60))
def test_what_is_folded_stays_so(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(
    st.data(), st.text(letters, max_size=40), st.text(letters, min_size=1, max_size=20), st.text(letters, max_size=40)
)
def test_any_spelling_is_found_in_any_text(data: st.DataObject, before: str, query: str, after: str) -> None:
    assume(boundary(before, query) and boundary(query, after))
    text = before + data.draw(spelled(query)) + after
    found = find(text, fold(query))
    assert found is not None
    start, end = found
    assert 0 <= start < end <= len(text)
    assert fold(query) in fold(text[start:end])


def test_no_character_joins_another_unnoticed() -> None:
    """The oracle is the standard's own: a mark, or the second half of a composition, at the front of any form."""
    # Of unassigned and private ones, and of surrogates, Unicode says nothing.
    everything = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) not in _UNASSIGNED]
    compositions = [unicodedata.decomposition(one).split() for one in everything]
    joining = {chr(int(parts[1], 16)) for parts in compositions if len(parts) == 2 and not parts[0].startswith("<")}
    joining |= {*map(chr, range(0x1161, 0x1176)), *map(chr, range(0x11A8, 0x11C3))}  # Hangul is composed by rule

    def may_join(form: str) -> bool:
        return form[0] in joining or unicodedata.combining(form[0]) > 0

    unnoticed = [
        hex(ord(one))
        for one in everything
        if not joins(one)
        and (may_join(_form("NFD", one)) or may_join(_form("NFKD", one)) or may_join(_form("NFKD", fold(one))))
    ]
    assert unnoticed == []


def test_a_text_of_marks_alone_is_folded_in_bounded_pieces() -> None:
    marks = "a" + "\u0301\u0323" * 10_000
    assert max(map(len, pieces(marks, PIECE_LENGTH))) <= 2 * PIECE_LENGTH
    assert "".join(pieces(marks, PIECE_LENGTH)) == marks
    span = find(marks + "needle", "needle")
    assert span is not None
    assert "needle" in (marks + "needle")[slice(*span)]
