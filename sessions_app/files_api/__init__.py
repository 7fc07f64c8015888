"""Files over HTTP: `POST /api/files/` takes one (`taking`, `multipart`), `giving` gives it back or removes it."""
