"""Addresses under ``/api/``."""

from django.urls import path

from sessions_app.api import views

app_name = "api"
urlpatterns = [path("openrpc.json", views.openrpc_document, name="openrpc")]
