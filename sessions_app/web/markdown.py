"""Markdown of an answer → HTML that is safe to put into the page.

What a model writes is foreign text: it may repeat a page it was shown. So raw HTML in it is text, nothing it names is
loaded, and what markdown-it makes is sanitised once more, last, by nh3 (web/sanitise.py), whatever came before.

The work is bounded: the parser is linear on all but a few shapes, and the bounds below cut those off (200,000 `[` take
it two seconds, one long link title referred to 4,000 times makes 160 MB). What is beyond them is shown as it is, in
<pre>.
"""

from collections.abc import Iterator
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from sessions_app.web import bare_links, formulas, highlight, tables
from sessions_app.web.sanitise import sanitise

MAX_CHARS = 100_000
"""Characters; ordinary text of this length takes 0.1 s, the worst found 1 s."""
MAX_BRACKETS = 5_000
"""Each opening bracket may begin a link, whose end is looked for up to the end of the paragraph."""
MAX_BLOCK_TOKENS = 60_000
"""Openings and endings of blocks and cells; ordinary text of MAX_CHARS has 5,000."""
MAX_TARGETS = 1_000_000
"""Characters of all link targets and titles together: each reference repeats them."""
MAX_NESTING = 20
"""Lists (two levels each), quotes and emphasis within each other; a text with deeper blocks is shown as it stands.
CommonMark's own tests need 9."""

HEADING_SHIFT = 2
"""The page's own headings are the chat's title (1) and who speaks (2)."""

DIRECTED = {"blockquote_open", "heading_open", "list_item_open", "td_open", "th_open"}
"""Blocks that find their writing direction from what they say. Paragraphs do where they stand alone; inside of a quote
or an item they must not, because a block does not count what has a direction of its own."""

PARSER = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    .enable(["table", "strikethrough"])
    .use(formulas.plugin)
    .use(bare_links.plugin)
    .use(highlight.plugin)
    .use(tables.plugin)
)


def render(text: str) -> str:
    """Sanitised HTML of a Markdown text; never raises for any string, loads nothing, runs nothing."""
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if len(text) > MAX_CHARS or text.count("[") > MAX_BRACKETS:
        return plain(text)
    env: EnvType = {}
    tokens = PARSER.parse(text, env)
    if len(tokens) > MAX_BLOCK_TOKENS or size_of_targets(tokens) > MAX_TARGETS or too_deep(tokens):
        return plain(text)
    for token in tokens:
        adapt_block(token)
    return sanitise(PARSER.renderer.render(tokens, PARSER.options, env))


def plain(text: str) -> str:
    """The text as it stands, for what is not worth or not safe to parse."""
    return sanitise(f'<pre class="plain" dir="auto">{escape(text)}</pre>')


def too_deep(tokens: list[Token]) -> bool:
    """Whether blocks are nested so deep that the parser has dropped what is in the innermost."""
    return any(token.nesting == 1 and token.level >= MAX_NESTING - 1 for token in tokens)


def size_of_targets(tokens: list[Token]) -> int:
    """Characters of all attributes inside of lines: addresses and titles of links and images."""
    lines = (child for token in tokens for child in token.children or [])
    return sum(len(str(value)) for child in lines for value in child.attrs.values())


def adapt_block(token: Token) -> None:
    """Make one block token fit the page: heading level, direction, images as links, tasks."""
    if token.type in DIRECTED or (token.type == "paragraph_open" and token.level == 0):
        token.attrSet("dir", "auto")
    if token.type.startswith("heading_"):
        token.tag = f"h{min(6, int(token.tag[1]) + HEADING_SHIFT)}"
    elif token.type == "inline":
        token.children = list(adapt_line(token.children or []))


def adapt_line(children: list[Token]) -> Iterator[Token]:
    """Images become links (loading one tells its host what was said), task marks become boxes."""
    in_link = 0
    for index, token in enumerate(children):
        in_link += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "image":
            yield from image_link(token, bool(in_link))
            continue
        if index == 0 and token.type == "text":
            token.content = task_box(token.content)
        yield token


def image_link(image: Token, in_link: bool) -> Iterator[Token]:
    """The image's description, as a link to it unless it stands inside a link already."""
    label = Token("text", "", 0, content=f"Image: {image.content or 'without description'}")
    if in_link:
        yield label
        return
    yield Token("link_open", "a", 1, attrs={"href": image.attrGet("src") or ""})
    yield label
    yield Token("link_close", "a", -1)


def task_box(text: str) -> str:
    """`[ ] buy` → `☐ buy`, `[x] buy` → `☑ buy`, as task lists are written."""
    if text.startswith("[ ] "):
        return f"☐ {text[4:]}"
    if text.startswith(("[x] ", "[X] ")):
        return f"☑ {text[4:]}"
    return text
