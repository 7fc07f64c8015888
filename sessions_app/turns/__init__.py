"""Turns: ask for one, run it, stream it, end it, recover it.

``asking`` and ``ending`` are what the database does of a turn, in one transaction each;
``run`` is one running turn, ``runner`` all of this process; ``stream`` numbers what clients
see and ``hub`` brings it to them; ``heart`` and ``recovery`` are about processes that die.
"""
