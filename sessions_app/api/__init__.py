"""The programmers' door: JSON-RPC 2.0 over the WebSocket at ``/ws/chat/``.

A frame's way in: ``consumer`` → ``decode`` (text to request; ``batches``) → ``lanes`` (order) → ``responses``
→ ``method_types`` (validated parameters) → ``methods`` (handlers by subject, authorised by ``auth``); and
out through ``outbox``. ``method`` is what all of them have in common. ``openrpc`` describes it all, made from
the same frames and methods.
"""
