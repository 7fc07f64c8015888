"""Twisted's reactor on uvloop's event loop. Imported before whatever else would choose a reactor for the process.

uvloop's loop is C where asyncio's is Python: a tenth of what a turn costs (docs/performance.md). Its time goes in whole
milliseconds.
"""

import sys

import uvloop
from twisted.internet import asyncioreactor

# A project that has this site among its apps may have chosen already.
if "twisted.internet.reactor" not in sys.modules:
    asyncioreactor.install(uvloop.new_event_loop())  # type: ignore[no-untyped-call]
