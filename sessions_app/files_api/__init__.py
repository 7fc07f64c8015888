"""Files over HTTP: `POST /api/files/` takes one (`taking`), `giving` gives it back or removes it."""
