"""Which elements are of which rows, where the SDK has mapped several rows at once.

A user's row, and an answer that is nothing but text, makes one element on every wire, and none where it is blank: these
are *plain*. Of other rows only the SDK knows how many they make. So rows are mapped in *sections*: rows that are not
plain, then plain ones; a marker stands between two sections. The elements of a section are counted from its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sessions_app.llm.content.rows import Row, counts

Group = tuple[int, Sequence[bytes]]
"""How many rows became elements together, and these."""


def sections_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows as the sections between which a marker must stand."""
    sections: list[list[Row]] = []
    for row in rows:
        if sections and (_is_plain(row) or not _is_plain(sections[-1][-1])):
            sections[-1].append(row)
        else:
            sections.append([row])
    return sections


def groups_of(section: Sequence[Row], elements: Sequence[bytes]) -> Iterator[Group]:
    """A section's rows in groups that can be cut apart; one group where the elements cannot be told apart."""
    plain = next((index for index, row in enumerate(section) if _is_plain(row)), len(section))
    single = sum(map(counts, section[plain:]))
    if single > len(elements) or (not plain and single < len(elements)):
        yield len(section), elements
        return
    rest = len(elements) - single
    if plain:
        yield plain, elements[:rest]
    for row in section[plain:]:
        end = rest + counts(row)
        yield 1, elements[rest:end]
        rest = end


def _is_plain(row: Row) -> bool:
    return row.role == "user" or (row.role == "assistant" and not row.parts)
