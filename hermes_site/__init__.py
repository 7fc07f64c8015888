"""Wiring: settings, urls, the ASGI application and the server that runs it."""
