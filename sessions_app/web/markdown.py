"""Markdown of an answer → HTML that is safe to put into the page.

What a model writes is foreign text: it may repeat a page it was shown. So raw HTML in it is text, nothing it names is
loaded, and what markdown-it makes is sanitised once more, last, by nh3 (web/sanitise.py), whatever came before.

The work is bounded: the parser is linear on all but a few shapes, and the bounds below cut those off (200,000 `[` take
it two seconds, one long link title referred to 4,000 times makes 160 MB). What is beyond them is shown as it is, in
<pre>.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from sessions_app.web import bare_links, definitions, details, emphasis, footnotes, formulas, highlight, tables, tags
from sessions_app.web.plain import plain
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

TASKS = ("[ ] ", "[x] ", "[X] ")
DIRECTED = {"blockquote_open", "heading_open", "list_item_open", "summary_open", "td_open", "th_open"}
"""Blocks that find their writing direction from what they say. Paragraphs do where they stand alone; inside of a quote
or an item they must not, because a block does not count what has a direction of its own."""

LINK = re.compile(r"(?:https?://|mailto:)[^/]", re.IGNORECASE)


class Parser(MarkdownIt):
    """markdown-it with our rules for emphasis and for what an address is."""

    def __init__(self) -> None:
        super().__init__("commonmark")
        self.inline = emphasis.EmphasisInline()
        self.configure("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name
        """Whether a link may lead there. Where it may not, the whole link stays text, so no address is lost."""
        return LINK.match(url) is not None

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - markdown-it's name
        """An address shown as it was written."""
        return link


def make_parser() -> Parser:
    """The parser of all texts. Headings underlined with `===` are off: models write `#`, and `---` means a line
    across."""
    parser = Parser()
    parser.enable(["table", "strikethrough"]).disable("lheading")
    for room in (formulas, bare_links, tags, details, footnotes, definitions, tables, highlight):
        parser.use(room.plugin)
    return parser


PARSER = make_parser()


def render(text: str) -> str:
    """Sanitised HTML of a Markdown text; never raises for any string, loads nothing, runs nothing."""
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if len(text) > MAX_CHARS or text.count("[") > MAX_BRACKETS:
        return sanitise(plain(text))
    env: EnvType = {"note_prefix": footnotes.prefix_of(text)}
    tokens = PARSER.parse(text, env)
    if len(tokens) > MAX_BLOCK_TOKENS or size_of_targets(tokens) > MAX_TARGETS or too_deep(tokens):
        return sanitise(plain(text))
    for token in tokens:
        adapt_block(token)
    mark_tasks(tokens)
    return sanitise(PARSER.renderer.render(tokens, PARSER.options, env))


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


def mark_tasks(tokens: list[Token]) -> None:
    """Tell the items of a list that begin with a box: it stands in place of their bullet."""
    for item, _paragraph, line in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if item.type == "list_item_open" and line.type == "inline" and line.content.startswith(TASKS):
            item.attrSet("class", "task")


def adapt_line(children: list[Token]) -> Iterator[Token]:
    """Links open away from the chat, images become links (loading one tells its host what was said), tasks get
    boxes."""
    link: Token | None = None
    inside: list[Token] = []
    for index, token in enumerate(children):
        if token.type == "link_open":
            link, inside = token, []
            token.attrSet("target", "_blank")
        elif token.type == "image":
            if link is not None:
                inside.append(token)
                yield text_of(image_label(token))
            else:
                yield from linked(token, image_label(token))
            continue
        elif index == 0 and token.type == "text":
            token.content = task_box(token.content)
        if token.type == "link_close" and link is not None:
            if children[index - 1] is link:
                yield text_of(str(link.attrGet("href") or ""))
            yield token
            yield from images_of(inside)
            link = None
            continue
        yield token


def images_of(images: list[Token]) -> Iterator[Token]:
    """Links to the images that stood within a link, behind it."""
    for image in images:
        yield text_of(" (")
        yield from linked(image, str(image.attrGet("src")))
        yield text_of(")")


def linked(image: Token, label: str) -> Iterator[Token]:
    """A link to an image, with its title."""
    attrs = {"href": image.attrGet("src") or "", "title": image.attrGet("title") or "", "target": "_blank"}
    yield Token("link_open", "a", 1, attrs={name: value for name, value in attrs.items() if value})
    yield text_of(label)
    yield Token("link_close", "a", -1)


def image_label(image: Token) -> str:
    return f"Image: {image.content or 'without description'}"


def text_of(content: str) -> Token:
    return Token("text", "", 0, content=content)


def task_box(text: str) -> str:
    """`[ ] buy` → `☐ buy`, `[x] buy` → `☑ buy`, as task lists are written."""
    if text.startswith(TASKS[:1]):
        return f"☐ {text[4:]}"
    if text.startswith(TASKS):
        return f"☑ {text[4:]}"
    return text
