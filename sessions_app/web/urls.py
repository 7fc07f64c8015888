"""Addresses of the web chat."""

from django.urls import path

from sessions_app.web import installing, views

urlpatterns = [
    path("", views.chat, name="chat"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("favicon.ico", installing.favicon),
]
