"""What users take along, and bring: chats as JSON and Markdown, and whole accounts in a ZIP.

``shapes`` is the form of an exported chat, ``rows`` reads one in pieces, ``session_json`` and ``markdown`` write it.
"""
