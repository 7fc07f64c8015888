"""Addresses of the web chat."""

from django.urls import path

from sessions_app.web import views

urlpatterns = [path("", views.chat, name="chat")]
