"""Footnotes: `text[^1]` leads to `[^1]: note`, and back.

The notes stay where they were written and are called as they were called: so none is lost that nothing refers to, or
that is defined twice, and nothing moves while an answer grows. Several answers stand on one page, so ids begin with a
digest of their text; the page itself makes those of equal texts differ (markdown.js).
"""

from collections.abc import Sequence
from hashlib import blake2s
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser footnotes; `^[…]` in a line is none, it is too near to formulas and patterns."""
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    parser.add_render_rule("footnote_ref", render_reference)
    parser.add_render_rule("footnote_reference_open", open_note)
    parser.add_render_rule("footnote_reference_close", close_note)


def prefix_of(text: str) -> str:
    """What the ids of one text begin with."""
    return f"note-{blake2s(text.encode(), digest_size=4).hexdigest()}"


def note_id(label: str, env: EnvType) -> str:
    """The id of a note: labels may hold any character, so they are numbered."""
    labels: dict[str, int] = env.setdefault("note_numbers", {})
    return f"{env['note_prefix']}-{labels.setdefault(label, len(labels) + 1)}"


def render_reference(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """The mark in the text; the first one can be led back to."""
    label, again = tokens[index].meta["label"], tokens[index].meta["subId"]
    ident = note_id(label, env)
    place = "" if again else f' id="{ident}-ref"'
    return f'<sup{place}><a href="#{ident}">{escape(label)}</a></sup>'


def open_note(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """A note, headed by its name, which leads back where something refers to it."""
    label = tokens[index].meta["label"]
    ident = note_id(label, env)
    seen: set[str] = env.setdefault("notes_written", set())
    place = "" if label in seen else f' id="{ident}"'
    seen.add(label)
    name = escape(label)
    if env["footnotes"]["refs"].get(f":{label}", -1) >= 0:
        name = f'<a href="#{ident}-ref">{name}</a>'
    return f'<div class="footnote"{place}><span class="footnote-name">{name}</span><div class="footnote-text">\n'


def close_note(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</div></div>\n"
