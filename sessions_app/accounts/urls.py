"""Addresses of the accounts' pages."""

from django.urls import path

from sessions_app.accounts import views
from sessions_app.accounts.detours import for_visitors, sent_from

urlpatterns = [
    path("login/", for_visitors(views.LoginView.as_view()), name="login"),
    path("signup/", for_visitors(views.signup), name="signup"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("logins/", views.signed_in, name="logins"),
    path("logins/<int:pk>/end/", sent_from("logins")(views.end_login), name="end_login"),
    path("logins/end/", sent_from("logins")(views.end_all_logins), name="end_all_logins"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", sent_from("tokens")(views.revoke_token), name="revoke_token"),
]
