"""Turns of this process: run them, keep them alive, take commands for them.

One running turn is a ``run``, which answers from its ``memory`` of the transcript with an agent of the ``pool``. All of
them are in the ``registry``; the ``launcher`` runs each to its stored end and goes on with the next. The ``supervisor``
does what is done from time to time, and takes over what others left (``takeover``). ``service`` is what commands
call, ``tally`` counts for /metrics. ``runner`` puts all of it together.
"""
