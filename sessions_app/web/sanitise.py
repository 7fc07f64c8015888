"""The last word on what reaches the page as HTML: nh3 with a list of what is allowed, everything else taken out.

No attribute that styles, scripts or loads; links to http, https and mailto only, each opened away from this site and
told nothing of it, and from a footnote's mark to its note. Ids are those of footnotes and no others.
"""

import re

import nh3
from pygments.token import STANDARD_TYPES

MATH = {
    "math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace",
    "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
}  # fmt: skip
TEXT = {
    "a", "b", "blockquote", "br", "code", "del", "details", "div", "em", "h3", "h4", "h5", "h6", "hr", "i", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip

MATH_ATTRIBUTES = {
    "accent", "columnalign", "columnspacing", "depth", "display", "displaystyle", "fence", "form", "height",
    "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowspacing", "rspace",
    "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip

ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"dir"},
    "div": {"dir", "id"},
    "ol": {"start"},
    "sup": {"id"},
    **{tag: {"dir"} for tag in ("blockquote", "h3", "h4", "h5", "h6", "li", "p", "pre", "summary", "td", "th")},
    **dict.fromkeys(MATH, MATH_ATTRIBUTES),
}

CELL = {"to-left", "to-center", "to-right"}
CLASSES = {
    "div": {"code", "code-head", "footnote", "footnote-text", "table"},
    "span": {name for name in STANDARD_TYPES.values() if name} | {"code-language", "footnote-name"},
    "li": {"task"},
    "pre": {"plain"},
    "code": {"formula"},
    "td": CELL,
    "th": CELL,
}

NOTE = re.compile(r"note-[0-9a-f]{8}-\d+(-ref)?")


def keep_attribute(_tag: str, name: str, value: str) -> str | None:
    """No id but those of footnotes."""
    if name == "id":
        return value if NOTE.fullmatch(value) else None
    return value


def keep_note_link(address: str) -> str | None:
    """Of the addresses within this site only those of footnotes."""
    return address if address.startswith("#") and NOTE.fullmatch(address[1:]) else None


CLEANER = nh3.Cleaner(
    tags=TEXT | MATH,
    attributes=ATTRIBUTES,
    tag_attribute_values={"a": {"target": {"_blank"}}},
    attribute_filter=keep_attribute,
    allowed_classes=CLASSES,
    url_schemes={"http", "https", "mailto"},
    url_relative=keep_note_link,
    link_rel="noopener noreferrer nofollow",
)


def sanitise(html: str) -> str:
    """HTML with nothing in it but what this module's lists allow."""
    return CLEANER.clean(html)
