# ruff: noqa: RUF002 - the writing of other languages is what this is about
r"""TeX → MathML by latex2mathml, or nothing where it would drop or garble a part of the formula.

latex2mathml never says that it does not know something: it shows `\foo` as a letter, takes braces that do not match,
and reads some environments as one line. So its result is compared with the source: every letter and digit that TeX
would print must be in it, and no mark of TeX may be left.
"""

import re
from collections import Counter
from html import unescape
from unicodedata import normalize
from xml.etree.ElementTree import Element, tostring  # nosec B405

from latex2mathml.converter import convert_to_element

ALIGNED = ("align", "align*", "aligned", "alignat", "alignat*", "alignedat", "eqnarray", "eqnarray*", "flalign",
           "flalign*", "split")  # fmt: skip
CENTRED = ("gather", "gather*", "gathered", "multline", "multline*")
ALONE = ("equation", "equation*", "displaymath", "math")
KNOWN = ("array", "cases", "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix")
ENVIRONMENTS = "|".join(re.escape(name) for name in (*ALIGNED, *CENTRED, *ALONE, *KNOWN, "dcases", "rcases"))
"""A pattern of the environments that can be shown."""

NAMES = {
    **dict.fromkeys(ALIGNED, (r"\begin{align*}", r"\end{align*}")),
    **dict.fromkeys(CENTRED, (r"\begin{matrix}", r"\end{matrix}")),
    **dict.fromkeys(ALONE, ("{", "}")),
    **{name: (rf"\begin{{{name}}}", rf"\end{{{name}}}") for name in KNOWN},
    "dcases": (r"\begin{cases}", r"\end{cases}"),
    "rcases": (r"\left.\begin{matrix}", r"\end{matrix}\right\}"),
}
"""How latex2mathml is told of an environment. It numbers the rows of `align`, which nobody wrote."""

ENVIRONMENT = re.compile(r"\\(?P<edge>begin|end)\s*\{(?P<name>[A-Za-z]+\*?)\}(?P<position>\[[tcb]\])?")
COLUMNS = re.compile(r"(?P<array>\\begin\{array\})\s*\{[lcr|\s]*\}|(?P<pairs>\\begin\{align(?:at\*?|edat)\})\s*\{\d+\}")
UNSEEN = re.compile(
    r"\\(?:label|color|hspace\*?|vspace\*?)\s*\{[^{}]*\}"
    r"|\\textcolor\s*\{[^{}]*\}"
    r"|\\(?:nonumber|notag|allowbreak)(?![A-Za-z])"
    r"|(?<=\\\\)\s*\[-?[\d.]+\s*(?:pt|em|ex|mm|cm)\]"
)
"""What prints nothing: names, distances, and colours, which are styles that the page's policy refuses."""
REFUSED = re.compile(
    r"\\(?:def|edef|gdef|let|newcommand|renewcommand|newenvironment|DeclareMathOperator|verb|unicode|href|class|style)"
    r"(?![A-Za-z])"
)
"""Macros can grow without bound; the others are no part of a formula."""
TEXT = re.compile(r"\\text(?:rm|bf|it|sf|tt|normal)?\{[^{}]*\}")
IN_TEXT = re.compile(r"(?<!\\)\$([^$]*)(?<!\\)\$")
ESCAPED = re.compile(r"\\([%_#&$])")
SIGN = re.compile(r"&#x[0-9A-Fa-f]+;")
LEFT = {"mtext": re.compile(r"[\\{}]"), "": re.compile(r"[\\{}&$#]")}
"""Marks of TeX that must not be left in a text and in any other part of the result."""
COMMAND = re.compile(r"\\(?:begin|end)\s*\{[A-Za-z]+\*?\}(?:\[[tcb]\])?|\\(?:[A-Za-z]+\*?|.)", re.DOTALL)


def convert(formula: str, *, display: bool, large: bool) -> str | None:
    """MathML of a formula, none where it cannot be shown in full; `large` in a line as it would be on its own."""
    source = prepared(formula)
    if source is None:
        return None
    try:
        element = rows_of(source, "block" if display or large else "inline")
    except Exception:  # of many classes: its own, IndexError, StopIteration, RecursionError …
        return None
    if element is None or not is_whole(formula, element):
        return None
    if large:
        element.set("display", "inline")
        element.set("displaystyle", "true")
    for part in element.iter():
        part.text = unescape(part.text or "")
    return tostring(element, encoding="unicode").replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")


def prepared(formula: str) -> str | None:
    """The formula in the TeX that latex2mathml reads; none where it never could."""
    if REFUSED.search(formula) or not is_balanced(formula) or not are_known(formula):
        return None
    formula = UNSEEN.sub("", COLUMNS.sub(lambda found: found["pairs"] or found[0], formula))
    formula = TEXT.sub(lambda text: IN_TEXT.sub(r"}\1\\text{", text[0]), formula)
    return ENVIRONMENT.sub(lambda found: NAMES[found["name"]][found["edge"] == "end"], formula)


def is_balanced(formula: str) -> bool:
    """Whether braces match; escaped ones are signs."""
    depth = 0
    for brace in re.findall(r"[{}]", COMMAND.sub("", formula)):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def are_known(formula: str) -> bool:
    """Whether all environments are known, and closed in order."""
    opened: list[str] = []
    for found in ENVIRONMENT.finditer(formula):
        if found["name"] not in NAMES:
            return False
        if found["edge"] == "begin":
            opened.append(found["name"])
        elif not opened or opened.pop() != found["name"]:
            return False
    return not opened


def rows_of(source: str, display: str) -> Element | None:
    r"""The converted formula; rows outside of an environment (`a \\ b`) are given one."""
    element = convert_to_element(source, display=display)
    if not has_lost_rows(element):
        return element
    if r"\\" not in source:
        return None
    name = "align*" if "&" in source else "matrix"
    element = convert_to_element(rf"\begin{{{name}}}{source}\end{{{name}}}", display=display)
    return None if has_lost_rows(element) else element


def has_lost_rows(element: Element) -> bool:
    """Whether a row or a column was read as a sign: browsers show the first as nothing, the second as `&`."""
    return any(part.get("linebreak") or part.text == "&" for part in element.iter())


def is_whole(formula: str, element: Element) -> bool:
    """Whether the result has all that the source prints, and nothing of its marks."""
    printed = []
    for part in element.iter():
        text = part.text or ""
        if part.tag == "mtext":
            text = part.text = ESCAPED.sub(r"\1", text)
        if LEFT.get(part.tag, LEFT[""]).search(SIGN.sub("", text)):
            return False
        printed.append(unescape(text))
    source = UNSEEN.sub("", COLUMNS.sub(lambda found: found["array"] or found["pairs"], formula))
    return not letters(COMMAND.sub(" ", source)) - letters("".join(printed))


def letters(text: str) -> Counter[str]:
    """Letters, digits and all signs beyond ASCII, without the variants that mathematics has of them (𝐱, ℝ)."""
    return Counter(
        char for char in normalize("NFKC", text) if char.isalnum() or (ord(char) > 127 and not char.isspace())
    )
