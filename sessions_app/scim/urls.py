"""Addresses of SCIM, each with or without a slash at its end."""

from __future__ import annotations

from django.urls import path, re_path

from sessions_app.scim import documents, views
from sessions_app.scim.views import scim_view

_EVERY = ("GET", "POST", "PUT", "PATCH", "DELETE")

urlpatterns = [
    path("", scim_view(**dict.fromkeys(_EVERY, views.nothing)), name="scim"),
    re_path(r"^Users/?$", scim_view(GET=views.list_users, POST=views.make_user)),
    re_path(
        r"^Users/(?P<scim_id>[^/]+)/?$",
        scim_view(GET=views.show_user, PUT=views.put_user, PATCH=views.patch_user, DELETE=views.delete_user),
    ),
    re_path(r"^Groups/?$", scim_view(GET=views.list_groups, POST=views.make_group)),
    re_path(
        r"^Groups/(?P<scim_id>[^/]+)/?$",
        scim_view(GET=views.show_group, PUT=views.put_group, PATCH=views.patch_group, DELETE=views.delete_group),
    ),
    re_path(r"^ServiceProviderConfig/?$", scim_view(GET=views.show_config)),
    re_path(r"^ResourceTypes/?$", scim_view(GET=views.list_of(documents.resource_types))),
    re_path(r"^ResourceTypes/(?P<name>[^/]+)/?$", scim_view(GET=views.one_of(documents.resource_types))),
    re_path(r"^Schemas/?$", scim_view(GET=views.list_of(documents.schemas))),
    re_path(r"^Schemas/(?P<name>[^/]+)/?$", scim_view(GET=views.one_of(documents.schemas))),
    re_path(r"^(?P<rest>.*)$", scim_view(**dict.fromkeys(_EVERY, views.nothing))),
]
