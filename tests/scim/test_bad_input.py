"""Nonsense is refused with SCIM's errors, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError

from sessions_app.scim import users
from tests.scim.conftest import GROUP, PATCH, USER, Directory

FILTERS = (
    *("userName", "eq", "userName eq", 'userName eq "x', "userName eq x", "userName eq 'x'", 'eq "x"', "(", ")"),
    *(
        'userName like "x"',
        'title eq "x"',
        'is_superuser eq "x"',
        "password pr",
        'userName eq "x" and',
        "active gt true",
    ),
    *('active eq "yes"', 'meta.created gt "yesterday"', 'userName eq "a" userName eq "b"', "not userName pr"),
    *('emails[type eq "work"', 'emails[foo eq "x"]', 'userName eq "\\u00"', 'id gt "1"', "userName eq 1", "\x00"),
    *("(" * 500 + "userName pr" + ")" * 500, "userName pr or " * 5_000 + "userName pr", 'userName eq "\x00"'),
    *('emails.value[type eq "x"]', 'emails[emails[type eq "work"]]', 'meta.created gt "0001-01-01T00:00:00+23:59"'),
)
QUERIES = ("startIndex=x", "count=x", "attributes=" + quote('"'), "excludedAttributes=)", "startIndex=1e3", "count=%00")
NAMES: tuple[Any, ...] = ("", " ", None, 1, [], {}, "a\x00b", "a\ud800b", "x" * 151, "a b", "<x>")
PARTS: tuple[Any, ...] = ("x", [], {"givenName": 1}, {"familyName": "x" * 151}, {"givenName": "\x00"})
STATES: tuple[Any, ...] = ("yes", 1, None, [], {})
ADDRESSES: tuple[Any, ...] = ("x", "x@", 1, [1], [{"value": 1}], [{"value": "x"}], [{"value": "a@b.c" * 90}])
IDS: tuple[Any, ...] = ("x" * 256, 1, [], {}, "\x00", "\udfff")
BODIES: tuple[Any, ...] = (
    *("", "{", "[]", "null", '"x"', "1", b"\xff", "[" * 5_000, '{"a":' * 900 + "1" + "}" * 900, "NaN", "9" * 5_000),
    *({}, {"schemas": USER}, {"schemas": ["x"]}, {"schemas": None}, {"schemas": {}}),
)
VALUES: tuple[dict[str, Any], ...] = (
    *({"userName": each} for each in NAMES),
    *({"active": each} for each in STATES),
    *({"name": each} for each in PARTS),
    *({"emails": each} for each in ADDRESSES),
    *({"externalId": each} for each in IDS),
    {"x\x00": 1},
)
OPERATIONS: tuple[Any, ...] = (
    *(None, {}, [], [1], [None], [{}], [{"op": "move"}], [{"op": 1}], [{"op": "add"}], [{"op": "remove"}]),
    *([{"op": "add", "value": "x"}], [{"op": "replace", "path": 1, "value": "x"}]),
    *([{"op": "add", "path": path, "value": "x"}] for path in ("unknown", "[", "a[", 'x[type eq "y"]', "1", "name..x")),
    *([{"op": "add", "path": path, "value": "x"}] for path in ('emails[type eq "work"]x', "emails[]", ".", "is_staff")),
    [{"op": "remove", "path": "userName"}],
    [{"op": "remove", "path": "active"}],
    [{"op": "replace", "path": "name.familyName", "value": "stored?"}, {"op": "replace", "path": "active", "value": 7}],
)
MEMBERS: tuple[Any, ...] = (
    *(1, "1", [1], ["1"], [{}], [{"value": 1}], [{"value": "x"}], [{"value": "-1"}], [{"value": "9" * 30}]),
    *([{"value": "²"}], [{"value": "999999"}], [{"value": None}], [{"value": "1", "type": "Group"}]),
)


def stored() -> list[Any]:
    members = Group.user_set.through.objects
    return [list(User.objects.order_by("pk").values()), list(Group.objects.values()), list(members.values())]


@pytest.fixture
def paths(directory: Directory) -> Iterator[tuple[str, str]]:
    """The addresses of a user and of a group, of which nothing may be changed."""
    user, group = directory.make("ada"), directory.make_group("team")
    before = stored()
    yield f"/Users/{user['id']}", f"/Groups/{group['id']}"
    assert stored() == before


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
@pytest.mark.thorough
def test_filters_and_parameters_of_lists(directory: Directory, paths: tuple[str, str]) -> None:
    for asked in FILTERS:
        for kind in ("Users", "Groups"):
            assert directory.refusal("GET", f"/{kind}?filter={quote(asked)}") == (400, "invalidFilter"), asked
    for query in QUERIES:
        assert directory.refusal("GET", f"/Users?{query}")[0] == 400, query


@pytest.mark.one_database  # refused before anything is asked of a database
def test_bodies(directory: Directory, paths: tuple[str, str]) -> None:
    user, group = paths
    for body in BODIES:
        for method, path in (("POST", "/Users"), ("PUT", user), ("PATCH", user), ("POST", "/Groups"), ("PUT", group)):
            assert directory.refusal(method, path, body) in ((400, "invalidSyntax"), (413, None)), (method, path, body)
    large = json.dumps({"schemas": [GROUP], "displayName": "x", "members": [{"value": "1" * 100}] * 50_000})
    assert directory.refusal("POST", "/Groups", large) == (413, None)


@pytest.mark.both_databases
@pytest.mark.thorough
def test_values_of_users(directory: Directory, paths: tuple[str, str]) -> None:
    for value in VALUES:
        body = {"schemas": [USER], "userName": "new", **value}
        assert directory.refusal("POST", "/Users", body)[0] == 400, value
        assert directory.refusal("PUT", paths[0], body)[0] == 400, value
        assert directory.patch(paths[0], {"op": "replace", "value": value})[0] == 400, value


@pytest.mark.one_database  # refused before anything is asked of a database
def test_operations(directory: Directory, paths: tuple[str, str]) -> None:
    for operations in OPERATIONS:
        for path in paths:
            status, kind = directory.refusal("PATCH", path, {"schemas": [PATCH], "Operations": operations})
            assert (status, kind is not None) == (400, True), (path, operations)


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_members_and_names_of_groups(directory: Directory, paths: tuple[str, str]) -> None:
    group = paths[1]
    for members in MEMBERS:
        assert directory.refusal("PUT", group, {"schemas": [GROUP], "members": members}) == (400, "invalidValue")
        for op in ("add", "replace"):
            assert directory.patch(group, {"op": op, "path": "members", "value": members})[0] == 400, (op, members)
    for path in ('members[value ne "1"]', 'members[display eq "x"]', "members[value pr]", "members.value"):
        assert directory.patch(group, {"op": "remove", "path": path})[0] == 400, path
    for name in ("", " ", None, 1, "x" * 151, "\x00"):
        assert directory.refusal("POST", "/Groups", {"schemas": [GROUP], "displayName": name})[0] == 400, name


def test_addresses_and_methods_that_are_none(directory: Directory) -> None:
    for path in (
        "/Users/x",
        "/Users/0",
        "/Users/-1",
        "/Users/%00",
        "/Users/" + "9" * 40,
        "/Groups/1",
        "/Bulk",
        "/",
        "/Me",
    ):
        assert directory.refusal("GET", path) == (404, None), path
    for method, path in (("PUT", "/Users"), ("DELETE", "/Groups"), ("POST", "/Users/1"), ("POST", "/Schemas")):
        assert directory.refusal(method, path) == (405, None)


def test_what_the_api_says_of_itself(directory: Directory) -> None:
    config = directory.get("/ServiceProviderConfig")
    assert (config["patch"], config["etag"]) == ({"supported": True}, {"supported": False})
    for kind, number in (("ResourceTypes", 2), ("Schemas", 2)):
        listed = directory.get(f"/{kind}")
        assert listed["totalResults"] == len(listed["Resources"]) == number
        for each in listed["Resources"]:
            assert directory.get(f"/{kind}/{each['id']}") == each
        assert directory.refusal("GET", f"/{kind}/x") == (404, None)
    # What a schema names is told of a resource, and nothing else.
    user, common = directory.make("ada", externalId="1"), {"schemas", "id", "externalId", "meta"}
    told = {each["name"] for each in directory.get(f"/Schemas/{USER}")["attributes"]}
    assert set(user) - common == told


@pytest.mark.thorough_on_postgresql
def test_pages_and_projections(directory: Directory) -> None:
    names = [f"user{number}" for number in range(7)]
    for name in names:
        directory.make(name)
    pages = [directory.get(f"/Users?startIndex={start}&count=3&attributes=userName") for start in (-5, 4, 7, 99)]
    assert [[each["userName"] for each in page["Resources"]] for page in pages] == [
        ["boss", *names[:2]],
        names[2:5],
        names[5:],
        [],
    ]
    assert [(page["totalResults"], page["startIndex"]) for page in pages] == [(8, 1), (8, 4), (8, 7), (8, 99)]
    assert directory.get("/Users?count=0")["Resources"] == []
    assert len(directory.get("/Users?count=99999999999999999999")["Resources"]) == 8
    [told] = directory.filtered("/Users", 'userName eq "user3"', "&attributes=name.givenName,emails.value,userName.x")
    assert set(told) == {"schemas", "id", "name", "emails", "userName"}
    assert set(told["name"]) == {"givenName"}
    [told] = directory.filtered("/Users", 'userName eq "user3"', "&excludedAttributes=name.givenName,groups")
    assert "groups" not in told
    assert set(told["name"]) == {"familyName"}
    asked = 'userName sw "USER" and (userName ew "1" or userName ew "2") and not (userName co "2")'
    assert directory.found("/Users", asked) == ["user1"]
    # `and` binds before `or`.
    asked = 'userName eq "user1" or userName eq "user2" and userName eq "user3"'
    assert directory.found("/Users", asked) == ["user1"]


def test_a_database_that_is_held_up_is_asked_again_later(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*_: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(users, "create", held)
    assert directory.refusal("POST", "/Users", {"schemas": [USER], "userName": "ada"}) == (503, None)
    monkeypatch.setattr(users, "create", lambda _: 1 // 0)
    assert directory.refusal("POST", "/Users", {"schemas": [USER], "userName": "ada"}) == (500, None)
