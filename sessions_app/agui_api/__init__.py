"""AG-UI over HTTP, for its clients unmodified: a thread of theirs is a session that its user sees in the page.

``routes`` are its addresses (``http_api`` has who asks, and errors). ``reading`` makes a request of a body, ``running``
answers it. ``following`` tells a run's events, ``grammar`` keeps them in AG-UI's order where some were missed,
``snapshot`` tells what is stored. A run is begun by the same service, and followed by the same subscriptions, as over
the socket: its events are passed on as they are.
"""
