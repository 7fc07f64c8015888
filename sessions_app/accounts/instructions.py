"""The user's own instructions over HTTP, for the page's settings: `{"text": …}`, read and put.

Refusals are `{"error": …}`: 401 without a login, 400 for what is no such object, 413 for a text that is too long.
"""

import json
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sessions_app.llm.content.unicode import clean
from sessions_app.session_store import instructions


class NoText(ValueError):
    """The body of a request is not what it should be."""


class TooLong(ValueError):
    """A text has more characters than are kept, or comes in a body that is not even read."""

    def __init__(self) -> None:
        super().__init__(f"At most {instructions.LONGEST:,} characters, please.")


@never_cache
@require_http_methods(["GET", "HEAD", "PUT"])
def own_instructions(request: HttpRequest) -> JsonResponse:
    """Answer with the user's instructions, after putting new ones in their place where that is asked for."""
    if not request.user.is_authenticated:
        return _refusal(HTTPStatus.UNAUTHORIZED, "You are not logged in.")
    user_id = request.user.pk
    if request.method == "PUT":
        try:
            text = _text_of(request)
        except NoText as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        except TooLong as error:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        instructions.write(user_id, text)
    return JsonResponse({"text": instructions.read(user_id)})


def _text_of(request: HttpRequest) -> str:
    """Return the text that a request puts, its line ends as everywhere else. Raises NoText, TooLong."""
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise TooLong from None
    except (ValueError, RecursionError):
        raise NoText("The body must be JSON.") from None
    if not isinstance(body, dict) or set(body) != {"text"} or not isinstance(body["text"], str):
        raise NoText('The body must be {"text": "…"}.')
    text: str = body["text"]
    if clean(text) != text:
        raise NoText("The text holds characters that cannot be stored.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > instructions.LONGEST:
        raise TooLong
    return text


def _refusal(status: HTTPStatus, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
