"""The programmers' door: JSON-RPC 2.0 over the WebSocket at ``/ws/chat/``.

A frame's way in: ``consumer`` → ``decode`` (text to request) → ``lanes`` (order) → ``answers``
→ ``method_types`` (validated parameters) → ``methods`` (handlers, authorised by ``auth``); and out
through ``outbox``. ``openrpc`` describes it all, made from the same frames and methods.
"""
