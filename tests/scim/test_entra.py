"""What Microsoft Entra sends, as its documentation shows it."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from tests.scim.conftest import ENTERPRISE, GROUP, USER, Directory

NAME = "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1"
EMAIL = "Test_User_fd0ea19b-0777-472c-9f96-4f70d2226f2e@testuser.com"
CREATE = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": NAME,
    "active": True,
    "displayName": "givenName familyName",
    "emails": [{"primary": True, "type": "work", "value": EMAIL}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
    "roles": [],
    ENTERPRISE: {"department": "Sales", "manager": {"value": "7"}},
}


def test_the_life_of_a_user(directory: Directory) -> None:
    assert directory.filtered("/Users", 'userName eq "non-existent user"') == []
    status, made = directory.send("POST", "/Users", CREATE)
    assert status == 201
    user = User.objects.get(username=NAME)
    assert (made["id"], made["externalId"], made["active"]) == (str(user.pk), CREATE["externalId"], True)
    assert made["name"] == {"givenName": "givenName", "familyName": "familyName"}
    assert made["emails"] == [{"value": EMAIL, "type": "work", "primary": True}]
    assert made["meta"]["location"] == f"http://testserver/scim/v2/Users/{user.pk}"
    assert not user.has_usable_password()
    for asked in (
        f'userName eq "{NAME}"',
        f'userName eq "{NAME.upper()}"',
        'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
        f'emails[type eq "work"].value eq "{EMAIL}"',
        f'emails[type eq "work" and value eq "{EMAIL}"]',
        f'{USER}:userName eq "{NAME}" and not (active eq false)',
    ):
        assert directory.found("/Users", asked) == [NAME], asked
    assert directory.get(f"/Users/{user.pk}") == made
    path = f"/Users/{user.pk}"
    status, told = directory.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updatedEmail@microsoft.com"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "FR"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Support"},
        {"op": "Replace", "path": "displayName", "value": "somebody"},
    )
    assert (status, told["emails"][0]["value"]) == (200, "updatedEmail@microsoft.com")
    assert told["name"] == {"givenName": "givenName", "familyName": "updatedFamilyName"}
    name = "5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com"
    assert directory.patch(path, {"op": "Replace", "path": "userName", "value": name})[1]["userName"] == name
    # As it is sent without the flag aadOptscim062020.
    status, told = directory.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert (status, told["active"]) == (200, False)
    status, told = directory.patch(path, {"op": "Add", "value": {"active": True, "name.givenName": "Back"}})
    assert (told["active"], told["name"]["givenName"]) == (True, "Back")
    assert directory.send("DELETE", path) == (204, {})
    assert directory.send("GET", path)[0] == 404
    user.refresh_from_db()
    assert not user.is_active


def test_the_life_of_a_group(directory: Directory) -> None:
    one, two = (directory.make(name)["id"] for name in ("one", "two"))
    status, made = directory.send(
        "POST",
        "/Groups",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "displayName",
            "members": [],
            "meta": {"resourceType": "Group"},
        },
    )
    assert (status, made["members"], made["externalId"]) == (201, [], "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159")
    path, group_id = f"/Groups/{made['id']}", made["id"]
    assert "members" not in directory.get(f"{path}?excludedAttributes=members")
    [listed] = directory.filtered("/Groups", 'displayName eq "displayName"', "&excludedAttributes=members")
    assert "members" not in listed
    added = [{"$ref": None, "value": one}, {"$ref": None, "value": two}]
    assert directory.patch(path, {"op": "Add", "path": "members", "value": added}) == (204, {})
    assert [each["value"] for each in directory.get(path)["members"]] == [one, two]
    for asked, there in ((one, ["displayName"]), ("999999", [])):
        asking = f'id eq "{group_id}" and members eq "{asked}"'
        assert directory.found("/Groups", asking, "&attributes=displayName") == there
    assert [each["display"] for each in directory.get(f"/Users/{one}")["groups"]] == ["displayName"]
    gone = [{"$ref": None, "value": one}]
    assert directory.patch(path, {"op": "Remove", "path": "members", "value": gone})[0] == 204
    assert [each["value"] for each in directory.get(path)["members"]] == [two]
    assert directory.patch(path, {"op": "Replace", "path": "displayName", "value": "other name"})[0] == 204
    assert directory.get(path)["displayName"] == "other name"
    assert directory.send("DELETE", path) == (204, {})
    assert directory.send("GET", path)[0] == 404
    assert not Group.objects.get(name="other name").user_set.exists()
