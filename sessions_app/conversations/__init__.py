"""Conversations as they are stored: who may read a row, which rows a line has, who writes them, what they look like.

``access`` is the only way to read a row, ``transcript`` the only writer of messages to a session that exists.
``branches`` reads a line of a conversation, ``versions`` finds the other versions of a message. ``schemas`` are the
shapes on the wire, ``outcomes`` adds to a message what other rows say of it. ``turn_status`` is the one table of how a
turn may change, ``turn_results`` says how it ended. ``limits`` and ``storage`` bound what one user may have,
``spending`` reads the ledger back, and ``search`` finds text.
"""
