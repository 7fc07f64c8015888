"""OpenAI's API over HTTP, for its official clients: what a program says is a session that its user sees in the page.

``routes`` are its addresses (``http_api`` has who asks, and errors in OpenAI's form). ``reading`` makes a
conversation of a request's body, ``following`` tells what its run says, ``chat`` and ``models`` answer. A turn is begun
by the same service, and followed by the same subscriptions, as over the socket.
"""
