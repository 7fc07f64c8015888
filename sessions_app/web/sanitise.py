"""The last word on what reaches the page as HTML: nh3 with a list of what is allowed, everything else taken out.

No attribute that styles, scripts or loads; links to http, https and mailto only, each opened away from this site and
told nothing of it.
"""

import nh3
from pygments.token import STANDARD_TYPES

MATH = {
    "math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace",
    "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
}  # fmt: skip
TEXT = {
    "a", "blockquote", "br", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip

MATH_ATTRIBUTES = {
    "accent", "columnalign", "columnspacing", "depth", "display", "displaystyle", "fence", "form", "height",
    "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowspacing", "rspace",
    "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip

ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"dir"},
    "ol": {"start"},
    **{tag: {"dir"} for tag in ("blockquote", "h3", "h4", "h5", "h6", "li", "p", "pre", "td", "th")},
    **dict.fromkeys(MATH, MATH_ATTRIBUTES),
}

CELL = {"to-left", "to-center", "to-right"}
CLASSES = {
    "div": {"code", "code-head", "table"},
    "span": {name for name in STANDARD_TYPES.values() if name} | {"code-language"},
    "pre": {"plain"},
    "code": {"formula"},
    "td": CELL,
    "th": CELL,
}

CLEANER = nh3.Cleaner(
    tags=TEXT | MATH,
    attributes=ATTRIBUTES,
    allowed_classes=CLASSES,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitise(html: str) -> str:
    """HTML with nothing in it but what this module's lists allow."""
    return CLEANER.clean(html)
