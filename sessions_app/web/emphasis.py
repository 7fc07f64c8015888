# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""`**强调。**文` is bold: emphasis and strikethrough beside Chinese, Japanese, Korean and other unspaced writing.

CommonMark lets `**` close behind punctuation only where a space or punctuation follows, which writing without spaces
never has. The rule here is that of https://github.com/tats-u/markdown-cjk-friendly (specification.md): a CJK character
beside the marks allows what a space would, and CJK punctuation forbids nothing. We apply it to Thai, Lao, Khmer,
Burmese and Tibetan as well. No text without these characters is read differently from CommonMark.
"""

import re
from functools import lru_cache
from unicodedata import category, east_asian_width, name

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

UNSPACED = re.compile("[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f]")
"""Thai, Lao, Tibetan, Burmese, Khmer."""
SELECTORS = re.compile("[\ufe00-\ufe0e]")
"""Variation selectors, which belong to the character before them; that for emoji (FE0F) is none of these."""
IDEOGRAPHIC_SELECTORS = re.compile("[\U000e0100-\U000e01ef]")


class EmphasisInline(ParserInline):
    """markdown-it's parser of lines with our rule for what may open and close emphasis."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """As the base class does it, with our state."""
        state = EmphasisState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class EmphasisState(StateInline):
    """The state of one line; asks our rule about runs of `*`, `_` and `~`."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - markdown-it's names
        """Whether the run at `start` may open or close; the terms are those of the specification."""
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        before, after = self.src[max(0, start - 2) : start], (self.src[end] if end < self.posMax else " ")
        last, last_unspaced = last_of(before)
        last_punctuation, next_punctuation = is_punctuation(last), is_punctuation(after)
        last_space, next_space = isWhiteSpace(ord(last)), isWhiteSpace(ord(after))
        next_unspaced = is_unspaced(after)
        left = not next_space and (
            not next_punctuation or next_unspaced or last_space or last_punctuation or last_unspaced
        )
        right = not last_space and (
            not last_punctuation or last_unspaced or next_space or next_punctuation or next_unspaced
        )
        return Scanned(
            left and (canSplitWord or not right or last_punctuation),
            right and (canSplitWord or not left or next_punctuation),
            end - start,
        )


def last_of(before: str) -> tuple[str, bool]:
    """The character before a run, without its variation selector, and whether it counts as unspaced writing."""
    if not before:
        return " ", False
    if IDEOGRAPHIC_SELECTORS.match(before[-1]):
        return before[-1], True
    if len(before) == 2 and SELECTORS.match(before[1]):
        fullwidth_quote = before[1] == "\ufe01" and before[0] in "‘’“”"
        return before[0], fullwidth_quote or is_unspaced(before[0])
    return before[-1], is_unspaced(before[-1])


def is_punctuation(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


@lru_cache(2_000)
def is_unspaced(char: str) -> bool:
    """Whether a character is CJK, as the specification says, or of another script without spaces.

    Python does not know which wide characters are emoji; all symbols outside of the CJK blocks are taken for such.
    """
    if east_asian_width(char) in "WFH":
        return category(char) not in ("So", "Sk") or "\u3000" <= char <= "\u33ff"
    return UNSPACED.match(char) is not None or name(char, "").startswith("HANGUL")
