"""Who is told what has happened, and when: from the journal and from running turns to connections.

``publishing`` carries out a transaction and hands on the facts that it wrote. ``delivery`` brings each user's facts to
their connections, in cursor order with none skipped; ``subscriptions`` knows who has which session open, ``notices``
is what they are sent. ``run_events`` numbers what a running turn says. Between processes messages go over the ``bus``,
and may get lost: ``feed`` sends a run's events to processes where its session is open, and ``remote_runs`` takes them
there.
"""
