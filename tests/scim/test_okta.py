"""What Okta sends, as its documentation shows it, with what its test of a server asks for."""

from __future__ import annotations

import pytest

from tests.scim.conftest import GROUP, USER, Directory

# PostgreSQL is asked with what Entra sends.
pytestmark = pytest.mark.one_database

NAME = "test.user@okta.local"
CREATE = {
    "schemas": [USER],
    "userName": NAME,
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": NAME, "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def test_the_life_of_a_user(directory: Directory) -> None:
    first = directory.get("/Users?startIndex=1&count=2")
    assert (first["startIndex"], first["itemsPerPage"], first["totalResults"]) == (1, 1, 1)  # the administrator
    asked, more = f'userName eq "{NAME}"', "&startIndex=1&count=100"
    assert directory.filtered("/Users", asked, more) == []
    status, made = directory.send("POST", "/Users", CREATE)
    assert (status, made["userName"], made["externalId"]) == (201, NAME, CREATE["externalId"])
    assert "password" not in made
    assert directory.refusal("POST", "/Users", CREATE) == (409, "uniqueness")
    assert [each["id"] for each in directory.filtered("/Users", asked, more)] == [made["id"]]
    path = f"/Users/{made['id']}"
    put = CREATE | {"id": made["id"], "name": {"givenName": "Another", "middleName": "X", "familyName": "User"}}
    status, told = directory.send("PUT", path, put)
    assert (status, told["name"]["givenName"]) == (200, "Another")
    status, told = directory.patch(path, {"op": "replace", "value": {"active": False}})
    assert (status, told["active"]) == (200, False)
    assert directory.send("PUT", path, put | {"active": True})[1]["active"] is True
    assert directory.send("PUT", path, put | {"active": False})[1]["active"] is False
    assert directory.send("GET", "/Users/010101001010101011001010101011")[0] == 404


def test_the_life_of_a_group(directory: Directory) -> None:
    one, two = (directory.make(name)["id"] for name in ("one", "two"))
    assert directory.get("/Groups?startIndex=1&count=100")["Resources"] == []
    status, made = directory.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []})
    assert status == 201
    path = f"/Groups/{made['id']}"
    named = {"op": "replace", "value": {"id": made["id"], "displayName": "Test SCIMv2"}}
    assert directory.patch(path, named)[0] == 204
    everybody = [{"value": one, "display": "one"}]
    assert directory.patch(path, {"op": "replace", "path": "members", "value": everybody})[0] == 204
    status, _ = directory.patch(
        path,
        {"op": "remove", "path": f'members[value eq "{one}"]'},
        {"op": "add", "path": "members", "value": [{"value": two, "display": "two"}]},
    )
    assert (status, [each["display"] for each in directory.get(path)["members"]]) == (204, ["two"])
    body = {"schemas": [GROUP], "id": made["id"], "displayName": "Renamed", "members": everybody}
    status, told = directory.send("PUT", path, body)
    assert (status, told["displayName"], [each["value"] for each in told["members"]]) == (200, "Renamed", [one])
    assert [group["members"][0]["display"] for group in directory.get("/Groups")["Resources"]] == ["one"]
    assert directory.send("DELETE", path)[0] == 204
    again = {"schemas": [GROUP], "displayName": "Renamed", "members": []}
    assert directory.send("POST", "/Groups", again)[1]["members"] == []
