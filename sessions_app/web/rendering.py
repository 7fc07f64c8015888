"""Where Markdown is rendered: in one thread of the process, after all that it needs is loaded.

One thread, because rendering is pure Python: more would only take turns with the event loop. Loading begins when the
process lets clients in (1 s of CPU and 40 MB, most of it Pygments' lexers), and a text that comes earlier
waits for it, so the first answer looks like every other.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Thread


@cache
def start() -> Thread:
    """Begin to load, once, without waiting for it; a process that stops does not wait for it either."""
    thread = Thread(target=load, name="markdown-loading", daemon=True)
    thread.start()
    return thread


def load() -> None:
    """Import the renderer and all that it would load later."""
    from sessions_app.web import highlight, markdown

    highlight.load_lexers()
    markdown.render("**all** $x$")


@cache
def executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="markdown")


async def render_all(texts: list[str]) -> list[str]:
    """HTML of each text by itself (web/markdown.py)."""
    return await asyncio.get_running_loop().run_in_executor(executor(), render_in_thread, texts)


def render_in_thread(texts: list[str]) -> list[str]:
    start().join()
    from sessions_app.web.markdown import render

    return [render(text) for text in texts]
