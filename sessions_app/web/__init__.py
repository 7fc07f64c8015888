"""The web chat: one page, its Markdown, its static files."""
