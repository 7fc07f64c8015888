"""What commands do with sessions in the database, one transaction each, told in the journal.

``chats`` makes, lists, changes and reads them, ``forking`` copies the beginning of one into a new one, ``ratings``
keeps what users think of answers, ``titling`` stores titles that a model has made, ``instructions`` keeps what users
ask of every assistant, ``inserting`` stores a new session.
What concerns a turn that may be under way is in ``turn_store``.
"""
