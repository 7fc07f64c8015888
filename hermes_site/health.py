"""`/healthz`: whether this process can do its work, for load balancers and supervisors."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hermes_site.disk import Disk

# Seconds that Redis may take to answer.
PATIENCE = 2
_disk = Disk()


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and its disk takes writes, and Redis answers where REDIS_URL names one; else 503.

    Needs no login.
    """
    answers = {"database": _database_answers()}
    if answers["database"]:
        answers["disk"] = _disk.takes_writes()
    if settings.REDIS_URL:
        answers["redis"] = _redis_answers(settings.REDIS_URL)
    healthy = all(answers.values())
    return JsonResponse({"healthy": healthy, **answers}, status=200 if healthy else 503)


def _database_answers() -> bool:
    try:
        # A table of ours: a lost SQLite file comes back empty, and answers everything else.
        get_user_model().objects.exists()
    except Error:
        return False
    return True


def _redis_answers(url: str) -> bool:
    # A quarter of a second to import: only who has a Redis pays.
    import redis

    client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
