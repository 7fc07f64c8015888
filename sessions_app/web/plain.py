"""A text shown as it was written: for what is not rendered, in a module that does not load the renderer."""

from html import escape


def plain(text: str) -> str:
    """Safe HTML of a text as it stands."""
    return f'<pre class="plain" dir="auto">{escape(text, quote=False)}</pre>'
