"""What a turn does in the database, one transaction each.

Each write succeeds only while the process still has the turn's claim (the fence is
``conversations.transcript.write_fenced``), and is recorded in the journal. The words are those of docs/glossary.md.

A turn is asked for (``asking``), or it regenerates an answer or edits a message in a branch of its own (``branching``,
which also selects branches). Or it answers a conversation that a program has sent (``continuing``), at the place that
was found (``recognising``) or named (``referring``). ``message_ids`` and ``repeats`` know a request that is sent again.
It begins (``beginning``), sends heartbeats (``heartbeat``), stores its steps and its end (``ending``). What can go
wrong: the process that runs it dies (``liveness`` says so, ``recovery`` ends the turn), its user is deactivated
(``inactive_users``), its session is deleted (``deleting``). ``opening`` reads a session with the turn that runs in it.
"""
