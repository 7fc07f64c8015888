"""Tool servers (MCP): what they offer, what new sessions are told of it, and the connections that calls go over.

Nothing of a server is asked when a session begins or a prompt is made; see ``models.tool_servers``.
"""
