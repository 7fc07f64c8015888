"""What a turn does in the database, one transaction each, fenced by its claim and told in the journal.

A turn's life: it is asked for (``asking``, or ``steering`` where it goes on from an earlier place; ``claims`` knows a
request that is sent again), it begins (``beginning``), beats its heart (``heartbeat``), stores its steps and its end
(``ending``). What goes wrong: its owner dies (``liveness`` says so, ``recovery`` ends it), its user may no longer act
(``abandoned``), its session is deleted (``deleting``). ``opening`` reads a session with the turn that runs in it.
"""
