"""What the API says of itself: what it can do, which resources there are, and their attributes (RFC 7643, 5 to 7)."""

from __future__ import annotations

from typing import Any

from sessions_app.scim import groups, users
from sessions_app.scim.listing import MAX_RESULTS

_CORE = "urn:ietf:params:scim:schemas:core:2.0"
_KINDS = {"User": ("Users", users.SCHEMA), "Group": ("Groups", groups.SCHEMA)}


def service_provider_config(root: str) -> dict[str, Any]:
    """Return what the API can do."""
    return {
        "schemas": [f"{_CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MAX_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token that an operator has made with manage.py create_token NAME --scim.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{root}ServiceProviderConfig"},
    }


def resource_types(root: str) -> dict[str, dict[str, Any]]:
    """Return the kinds of resources, by their names."""
    return {
        name: {
            "schemas": [f"{_CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{plural}",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{root}ResourceTypes/{name}"},
        }
        for name, (plural, schema) in _KINDS.items()
    }


def schemas(root: str) -> dict[str, dict[str, Any]]:
    """Return the schemas, by their URNs."""
    attributes = {"User": _USER, "Group": _GROUP}
    return {
        schema: {
            "schemas": [f"{_CORE}:Schema"],
            "id": schema,
            "name": name,
            "attributes": attributes[name],
            "meta": {"resourceType": "Schema", "location": f"{root}Schemas/{schema}"},
        }
        for name, (_, schema) in _KINDS.items()
    }


def _attribute(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "name": name,
        "type": kind,
        "multiValued": False,
        "required": False,
        "mutability": "readWrite",
        "returned": "default",
    }
    if kind == "string":
        usual |= {"caseExact": False, "uniqueness": "none"}
    return usual | more


_READ_ONLY = {"mutability": "readOnly"}
_REFERENCE = {"caseExact": True, "uniqueness": "none"}
_USER = [
    _attribute("userName", required=True, uniqueness="server"),
    _attribute("name", "complex", subAttributes=[_attribute("givenName"), _attribute("familyName")]),
    _attribute(
        "emails",
        "complex",
        multiValued=True,
        description="One is kept: the primary one.",
        subAttributes=[
            _attribute("value"),
            _attribute("type", canonicalValues=["work"]),
            _attribute("primary", "boolean"),
        ],
    ),
    _attribute("active", "boolean"),
    _attribute(
        "groups",
        "complex",
        multiValued=True,
        **_READ_ONLY,
        subAttributes=[
            _attribute("value", **_READ_ONLY),
            _attribute("$ref", "reference", referenceTypes=["Group"], **_READ_ONLY, **_REFERENCE),
            _attribute("display", **_READ_ONLY),
            _attribute("type", canonicalValues=["direct"], **_READ_ONLY),
        ],
    ),
]
_MEMBER = {"mutability": "immutable"}
_GROUP = [
    _attribute("displayName", required=True, uniqueness="server"),
    _attribute(
        "members",
        "complex",
        multiValued=True,
        subAttributes=[
            _attribute("value", **_MEMBER),
            _attribute("$ref", "reference", referenceTypes=["User"], **_MEMBER, **_REFERENCE),
            _attribute("display", **_READ_ONLY),
            _attribute("type", canonicalValues=["User"], **_MEMBER),
        ],
    ),
]
