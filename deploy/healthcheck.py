"""Asks the site in this container how it is: ends with 0 where `/healthz` answers 200, else with 1 and the reason."""

import http.client
import os
import sys


def allowed_name(hosts: str) -> str:
    """A name that a site with these ALLOWED_HOSTS answers to."""
    return hosts.split(",")[0].strip(" *.") or "localhost"


def complaint() -> str | None:
    """What is wrong with the site; None: nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or "8000"), timeout=9)
    try:
        name = allowed_name(os.environ.get("ALLOWED_HOSTS", ""))
        connection.request("GET", "/healthz", headers={"Host": name})
        answer = connection.getresponse()
        return None if answer.status == 200 else f"{answer.status} {answer.read().decode()}"
    except (OSError, http.client.HTTPException) as error:
        return f"nobody answers: {error!r}"


if __name__ == "__main__":
    sys.exit(complaint())
