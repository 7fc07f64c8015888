"""What is raised of answers that cannot be read."""

from __future__ import annotations


class UnreadableAnswerError(Exception):
    """A provider sent something that is no answer of its wire."""


class PageAnswerError(UnreadableAnswerError):
    """A provider's address sent a web page."""


class RedirectedError(UnreadableAnswerError):
    """A provider's address leads to another origin, or around in a circle."""
