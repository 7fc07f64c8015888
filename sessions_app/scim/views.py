"""The addresses of SCIM: who asks, by a token that is for this alone; every refusal in SCIM's form."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from sessions_app import audit
from sessions_app.audit import Origin
from sessions_app.models import ApiToken
from sessions_app.scim import bodies, documents, groups, patching, user_changes, users
from sessions_app.scim.errors import ScimError, not_found
from sessions_app.scim.listing import listed, page, project, wants
from sessions_app.scim.patching import operations_of
from sessions_app.scim.queries import query
from sessions_app.scim.resources import group_resources, user_resources

logger = logging.getLogger(__name__)

_CONTENT_TYPE = "application/scim+json"
_BEARER = "bearer "
_RETRY_SECONDS = "5"

View = Callable[..., HttpResponse]
_Method = Callable[..., HttpResponse]


def scim_view(**methods: _Method) -> View:
    """Return the view of an address: what answers which method, called with the request and the names in the path."""

    @csrf_exempt
    @never_cache
    def view(request: HttpRequest, **names: str) -> HttpResponse:
        try:
            token = _token_of(request)
            method = methods.get(request.method or "")
            if method is None:
                raise ScimError(HTTPStatus.METHOD_NOT_ALLOWED, f"Only {', '.join(methods)} is allowed here.")
            with audit.acting(partial(_origin, request, token)):
                return method(request, **names)
        except ScimError as error:
            return _refused(error, methods)
        except OperationalError:
            # Another transaction held for too long what this one needs, or the database is away.
            logger.warning("a request of an identity provider could not be carried out by the database")
            return _refused(ScimError(HTTPStatus.SERVICE_UNAVAILABLE, "The site is busy. Try again."), methods)
        except Exception:
            # Nothing that the provider sent is logged.
            logger.exception("a request of an identity provider failed")
            fault = ScimError(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on the server.")
            return _refused(fault, methods)

    return view


def _token_of(request: HttpRequest) -> ApiToken:
    """Return the token for SCIM of who asks. Raises ScimError."""
    authorization = request.headers.get("Authorization", "")
    is_bearer = authorization.lower().startswith(_BEARER)
    token = ApiToken.use_for_scim(authorization[len(_BEARER) :].strip()) if is_bearer else None
    if token is None:
        text = "Send a token that was made for SCIM and is valid: Authorization: Bearer TOKEN."
        raise ScimError(HTTPStatus.UNAUTHORIZED, text)
    return token


def _origin(request: HttpRequest, token: ApiToken) -> Origin:
    return Origin(audit.user(token.owner_id, token.pk), request.META.get("REMOTE_ADDR", ""))


def _refused(error: ScimError, methods: dict[str, _Method]) -> HttpResponse:
    answer = _answer(error.body, error.status)
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = _RETRY_SECONDS
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(methods)
    return answer


def _answer(body: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return JsonResponse(body, status=status, content_type=_CONTENT_TYPE)


def _root(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("scim"))


def _one(request: HttpRequest, resource: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    answer = _answer(project(request.GET, resource), status)
    answer.headers["Location"] = resource["meta"]["location"]
    return answer


# Users


def _user(request: HttpRequest, user: User, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return _one(request, user_resources([user], _root(request))[0], status)


def list_users(request: HttpRequest) -> HttpResponse:
    """Answer a page of users."""
    found = users.visible()
    if asked := request.GET.get("filter"):
        found = found.filter(query(asked, users.FIELDS))
    return _answer(page(request.GET, found, lambda some: user_resources(some, _root(request))))


def make_user(request: HttpRequest) -> HttpResponse:
    """Make a user."""
    return _user(request, users.create(bodies.read(request, users.SCHEMA)), HTTPStatus.CREATED)


def show_user(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Answer one user."""
    return _user(request, users.find(scim_id))


def put_user(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Change what is named of a user."""
    return _user(request, users.change(scim_id, user_changes.changes_of(bodies.read(request, users.SCHEMA))))


def patch_user(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Carry operations out on a user: all of them or none."""
    operations = operations_of(bodies.read(request, patching.SCHEMA))
    return _user(request, users.change(scim_id, user_changes.patched(operations)))


def delete_user(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Deactivate a user, who is not found any more."""
    users.delete(scim_id)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


# Groups


def _group(request: HttpRequest, group: Group, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    with_members = wants(request.GET, "members")
    return _one(request, group_resources([group], _root(request), with_members=with_members)[0], status)


def list_groups(request: HttpRequest) -> HttpResponse:
    """Answer a page of groups."""
    found, with_members = groups.visible(), wants(request.GET, "members")
    if asked := request.GET.get("filter"):
        found = found.filter(query(asked, groups.FIELDS))
    root = _root(request)
    return _answer(page(request.GET, found, lambda some: group_resources(some, root, with_members=with_members)))


def make_group(request: HttpRequest) -> HttpResponse:
    """Make a group."""
    return _group(request, groups.create(bodies.read(request, groups.SCHEMA)), HTTPStatus.CREATED)


def show_group(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Answer one group."""
    return _group(request, groups.find(scim_id))


def put_group(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Change what is named of a group."""
    return _group(request, groups.change(scim_id, groups.changes_of(bodies.read(request, groups.SCHEMA))))


def patch_group(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Carry operations out on a group: all of them or none. It is not answered: it may have thousands of members."""
    operations = operations_of(bodies.read(request, patching.SCHEMA))
    groups.change(scim_id, groups.patched(operations))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def delete_group(request: HttpRequest, scim_id: str) -> HttpResponse:
    """Empty a group, which is not found any more."""
    groups.delete(scim_id)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


# What the API says of itself


def show_config(request: HttpRequest) -> HttpResponse:
    """Answer what the API can do."""
    return _answer(documents.service_provider_config(_root(request)))


def list_of(documents_of: Callable[[str], dict[str, dict[str, Any]]]) -> _Method:
    """Return what answers all documents of a kind."""

    @wraps(documents_of)
    def show(request: HttpRequest) -> HttpResponse:
        found = list(documents_of(_root(request)).values())
        return _answer(listed(found, len(found), 1))

    return show


def one_of(documents_of: Callable[[str], dict[str, dict[str, Any]]]) -> _Method:
    """Return what answers one document of a kind."""

    @wraps(documents_of)
    def show(request: HttpRequest, name: str) -> HttpResponse:
        found = documents_of(_root(request)).get(name)
        if found is None:
            raise not_found()
        return _answer(found)

    return show


def nothing(request: HttpRequest, **names: str) -> HttpResponse:
    """Answer that nothing is at an address."""
    raise not_found()
