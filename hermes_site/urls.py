"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from hermes_site.health import healthz
from hermes_site.metrics import metrics
from sessions_app.accounts.views import PasswordChangeView

urlpatterns = [
    path("", include("sessions_app.web.urls")),
    path("api/", include("sessions_app.api.urls")),
    path("accounts/", include("sessions_app.accounts.urls")),
    # Passwords are judged, and throttled, by the same pages for all.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True), name="admin_login"),
    path("admin/password_change/", PasswordChangeView.as_view(), name="admin_password_change"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
]
