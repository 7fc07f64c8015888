"""Turns: ask for one, run it, stream it, tell it, end it, recover it.

What the database does of a turn, one transaction each: ``asking``, ``beginning``, ``ending``, ``deleting``,
``recovery``, ``abandoned``, ``heart``. One running turn: ``run``, with its ``stream`` of events and its ``memory``.
All of this process: ``registry``, ``launcher``, ``keeper``, ``inheritance``. What commands ask: ``service``,
``opening``. Who is told: ``publishing``, ``delivery``, ``subscriptions``, ``notices``; between processes ``bus``,
``feed``, ``remote_runs``. ``runner`` puts all of it together.
"""
