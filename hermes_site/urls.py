"""Addresses of the site."""

from django.contrib import admin
from django.http import Http404
from django.urls import include, path, re_path
from django.views.defaults import page_not_found

from hermes_site.api_document import openapi_document
from hermes_site.health import healthz
from hermes_site.metrics import metrics
from sessions_app.accounts.views import PasswordChangeView, StaffLoginView
from sessions_app.admin import console

urlpatterns = [
    path("", include("sessions_app.web.urls")),
    path("api/openapi.json", openapi_document, name="openapi"),
    path("api/", include("sessions_app.api.urls")),
    path("scim/v2/", include("sessions_app.scim.urls")),
    path("accounts/", include("sessions_app.accounts.urls")),
    # Passwords are judged, and throttled, by the same pages for all.
    path("admin/login/", StaffLoginView.as_view(), name="admin_login"),
    path("admin/password_change/", PasswordChangeView.as_view(), name="admin_password_change"),
    # Django's way from any row's key to its page on the site. No row has one, and keys of the wrong form were faults.
    re_path("^admin/r/", page_not_found, {"exception": Http404()}),
    path("admin/", console.index),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
]
