"""What of the web this site's operator lets models use. Off by default.

The words that a search sends go to a server of the operator's own choice, so none asks a person. Whose page is read
gets to see the address, in which a model can be brought to write what a chat holds; so the operator says whether a
person is asked before.
"""

from __future__ import annotations

from django.conf import settings

from sessions_app.llm.tools.builtin import BuiltinTools
from sessions_app.llm.tools.sources import Standing, ToolSource
from sessions_app.llm.tools.web_pages import READ_PAGE, READ_PAGE_NAME
from sessions_app.llm.tools.web_search import WEB_SEARCH_NAME, web_search

WEB_NAMES = frozenset({READ_PAGE_NAME, WEB_SEARCH_NAME})
"""Of all of them, whatever is switched on."""


def web_tools() -> list[ToolSource]:
    """The sources of web search and of pages, as far as the settings switch them on; none in a program without any."""
    if not settings.configured:
        return []
    sources: list[ToolSource] = []
    if settings.HERMES_SEARCH_URL:
        sources.append(BuiltinTools(web_search(settings.HERMES_SEARCH_URL)))
    if (standing := Standing(settings.HERMES_WEB_PAGES)) is not Standing.OFF:
        sources.append(BuiltinTools(READ_PAGE, standing=standing))
    return sources
