"""Thoughts that a model writes into its answer, between tags: `<think>Hm.</think>The answer`.

Models served without a reasoning parser do so. A tag counts only where the answer begins: the opening one is the first
that is said, and the closing one is the first after it that is no mere mention. Some chat templates give the model the
opening tag already, so that the answer begins with the thought and shows a closing tag alone. Then what was said before
it has been taken for words, and turns out to be a thought: `moved` characters of them.

A closing tag is a mention, and stays a word, in quotes, in code (between backticks, in a fenced block) and in the
middle of a sentence: between spaces, or where no thought was opened, before a space or punctuation. If a thought never
ends otherwise, its first mention ends it after all: rather a fence left open in a thought than an answer lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["text", "reasoning"]

TAGS = {"<think>": "</think>", "<thinking>": "</thinking>"}
_CLOSING = re.compile("</think(?:ing)?>")
_LONGEST = max(map(len, TAGS.values()))

MAX_MENTIONS = 20
"""Closing tags that are looked at: an answer with more of them is about tags."""

MAX_BLANKS = 1_000
"""Blank characters before the first word, and behind a thought, that are waited through. More of them are said: a model
may say nothing else, and that has to end where any answer ends."""

_QUOTES = "`'\"“”‘’«»"  # noqa: RUF001 -- punctuation as people and models write it, here and below
_SENTENCE_ENDS = ".!?…。！？"  # noqa: RUF001
_NO_ANSWER_BEGINS = " \t,;:)]}>、，" + _SENTENCE_ENDS  # noqa: RUF001
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


class ThinkingTags:
    """Tells the thoughts from the words of one answer, as its text comes. `moved`: see the module."""

    def __init__(self) -> None:
        self.moved = 0
        self._closing = ""
        self._state: Literal["start", "thought", "words", "gap", "rest"] = "start"
        self._held = ""
        self._said: list[str] = []
        self._length = 0
        self._mention: int | None = None
        self._mentions = 0

    def feed(self, text: str) -> Iterator[tuple[Kind, str]]:
        """What some more text brings, by its kind. What may yet become a tag is held back."""
        self._held += text
        yield from self._parts(at_end=False)

    def part(self, separator: str) -> Iterator[tuple[Kind, str]]:
        """Begin another part of the text: what was said before is set off from it, what was thought goes on."""
        if self._state in ("words", "rest"):
            for text in (self._held, separator):
                self._held = text
                if text:
                    yield "text", self._say(len(text))

    def end(self) -> Iterator[tuple[Kind, str]]:
        """What was held back, when the answer has ended."""
        yield from self._parts(at_end=True)
        if self._state == "thought" and self._mention is not None:
            said = "".join(self._said)
            self._said, rest = [said[: self._mention]], said[self._mention :]
            yield "text", _CLOSING.sub("", rest, count=1).lstrip()

    @property
    def thought(self) -> str:
        """The thought so far, as it is kept."""
        return "".join(self._said).strip() if self._closing or self._state in ("gap", "rest") else ""

    def _parts(self, *, at_end: bool) -> Iterator[tuple[Kind, str]]:
        if self._state == "start":
            self._open(at_end=at_end)
        if self._state in ("thought", "words"):
            yield from self._before_closing(at_end=at_end)
        if self._state == "gap":
            self._leave_gap(at_end=at_end)
        if self._state == "rest" and self._held:
            yield "text", self._held
            self._held = ""

    def _open(self, *, at_end: bool) -> None:
        """Decide how the answer begins, once enough of it is there."""
        begun = self._held.lstrip()
        if len(self._held) - len(begun) > MAX_BLANKS:
            self._state = "words"
            return
        for opening, closing in TAGS.items():
            if begun.startswith(opening):
                self._state, self._closing = "thought", closing
                self._held = begun[len(opening) :].lstrip()
                return
        if at_end or (begun and not any(opening.startswith(begun) for opening in TAGS)):
            self._state = "words"

    def _leave_gap(self, *, at_end: bool) -> None:
        """Drop the blanks between a thought and the answer."""
        blanks = len(self._held) - len(self._held.lstrip())
        if at_end or blanks > MAX_BLANKS or blanks < len(self._held):
            self._held = self._held[min(blanks, MAX_BLANKS) :]
            self._state = "rest"

    def _before_closing(self, *, at_end: bool) -> Iterator[tuple[Kind, str]]:
        """Everything up to the closing tag, or up to what may become it."""
        kind: Kind = "reasoning" if self._state == "thought" else "text"
        while (found := self._next_closing()) and (at_end or found.end() < len(self._held)):
            said, after = self._held[: found.start()], self._held[found.end() : found.end() + 1]
            if self._ends_thought("".join([*self._said, said]), after):
                if said:
                    yield kind, self._say(len(said))
                self._held = self._held[len(found[0]) :]
                self._close()
                return
            yield kind, self._say(found.end())
        keep = len(self._held) if at_end else found.start() if found else self._held_from()
        if keep:
            yield kind, self._say(keep)
        if self._mentions >= MAX_MENTIONS and self._state == "words":
            self._state, self._said = "rest", []

    def _next_closing(self) -> re.Match[str] | None:
        if self._mentions >= MAX_MENTIONS:
            return None
        return next((m for m in _CLOSING.finditer(self._held) if self._closing in ("", m[0])), None)

    def _close(self) -> None:
        if self._state == "words":
            self.moved = self._length
        self._state = "gap"

    def _say(self, length: int) -> str:
        said, self._held = self._held[:length], self._held[length:]
        self._said.append(said)
        self._length += len(said)
        return said

    def _held_from(self) -> int:
        """Where a closing tag may begin at the end of what is held."""
        start = self._held.rfind("<", -_LONGEST)
        may_close = start >= 0 and any(tag.startswith(self._held[start:]) for tag in TAGS.values())
        return start if may_close else len(self._held)

    def _ends_thought(self, before: str, after: str) -> bool:
        self._mentions += 1
        line = before.rpartition("\n")[2]
        previous = line[-1] if line.strip() else "\n"
        if previous in _QUOTES or (after and after in _QUOTES):
            return False
        in_code = line.count("`") % 2 or len(_FENCE.findall(before)) % 2
        if not in_code and self._stands_apart(previous, after or "\n"):
            return True
        if self._mention is None:
            self._mention = len(before)
        return False

    def _stands_apart(self, previous: str, after: str) -> bool:
        """Whether a closing tag between these two characters is no part of a sentence."""
        if previous in _SENTENCE_ENDS or (not previous.isspace() and after == "\n"):
            return True
        if self._state == "thought":
            return previous == "\n" or after == "\n" or not previous.isspace()
        return previous in "\n" + _SENTENCE_ENDS and after not in _NO_ANSWER_BEGINS
