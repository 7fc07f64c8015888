"""The addresses of a site under a prefix."""

from django.urls import include, path

urlpatterns = [path("chat/", include("hermes_site.urls"))]
