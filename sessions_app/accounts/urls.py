"""Addresses of the accounts' pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from sessions_app.accounts import views

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("signup/", views.signup, name="signup"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("logins/", views.signed_in, name="logins"),
    path("logins/<int:pk>/end/", views.end_login, name="end_login"),
    path("logins/end/", views.end_all_logins, name="end_all_logins"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
]
