"""What a tool server may take of this host: time, bytes, tools."""

MAX_BYTES = 8 * 2**20
"""Of one answer, with all that is told before it: what comes after is not read. A picture of 6 MB fits in."""

MAX_MESSAGES = 2_000
"""Before an answer, but for what is dropped unread (`thinning`)."""

RESUME_SECONDS = 1.0
"""Between two requests of a connection that ask for the rest of an answer: a server says how long the client waits."""

MAX_LOGGED = 20_000
"""Bytes of what one process writes to its standard error that go to this site's log."""

MAX_CHARACTERS = 100_000
"""Of a result's text; what is behind is cut off, with a note."""

MAX_IMAGES = 10
"""Of one result."""

MAX_LISTED = 1_000
"""Tools of one server."""

MAX_PAGES = 100
"""Pages of its list."""

OPEN_SECONDS = 20.0
"""To reach a server, start its process and agree on a version of the protocol; the same again to list its tools."""

CLOSE_SECONDS = 5.0
"""To take leave of a server."""

IDLE_SECONDS = 300.0
"""Without a call after which a connection is closed."""

MAX_CONNECTIONS = 50
"""Of one process of this site, and so the processes that it runs of servers with a command."""

PROGRESS_SECONDS = 0.25
"""Between two words of a call's progress that are read; what comes between them is dropped."""

MAX_PROGRESS_CHARACTERS = 200
"""Of a word of progress."""
