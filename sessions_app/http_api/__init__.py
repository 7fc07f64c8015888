"""What the APIs over HTTP have in common: who asks, by what right, the exchange, errors, and following a turn.

``application`` is the ASGI application; each API is a list of its routes. ``exchange`` is one request and its answer,
``bodies`` reads its JSON, ``texts`` judges what that holds, ``csrf`` judges one that comes by a cookie, ``tickets``
answers what lets a WebSocket in, ``openapi`` describes all routes by what each is said to be (``about``), ``following``
is its subscription to what happens, ``errors`` what is answered where something is wrong.
"""
