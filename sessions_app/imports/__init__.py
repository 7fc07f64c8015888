"""What users bring: exports of this host, taken in as they were, and those of ChatGPT and Open WebUI.

``sources`` finds out what a file is and yields its chats, ``files`` takes in the files that they have, ``storing``
stores one chat in one transaction, and ``taking`` does all of it, with a report. ``chatgpt`` and ``open_webui`` read a
chat of theirs as a tree, of which ``trees`` makes a chat of ours.
"""
