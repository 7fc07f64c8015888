"""Deletion that nobody waits for: by the operator's policies, and of what users have asked to be deleted later.

``policies`` says which chats are due, ``requests`` what users have asked for, ``runs`` keeps the rows of purges;
``erasing`` has what a purge deletes, one transaction each; ``purge`` puts them together, ``nightly`` does so once a
night, in whichever process. ``leftovers`` removes what a database keeps of deleted rows.
"""
