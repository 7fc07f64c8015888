"""Addresses of the accounts' pages."""

from django.contrib.auth.views import PasswordResetDoneView
from django.urls import path

from sessions_app.accounts import reset_views, tool_servers, views
from sessions_app.accounts.detours import for_visitors, sent_from, where_mail_is_sent
from sessions_app.accounts.instructions import own_instructions

urlpatterns = [
    path("login/", for_visitors(views.LoginView.as_view()), name="login"),
    path("signup/", for_visitors(views.signup), name="signup"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("password_reset/", where_mail_is_sent(reset_views.ResetView.as_view()), name="password_reset"),
    path(
        "password_reset/sent/",
        where_mail_is_sent(PasswordResetDoneView.as_view(template_name="registration/reset_sent.html")),
        name="password_reset_done",
    ),
    path(
        "password_reset/<uidb64>/<token>/",
        where_mail_is_sent(reset_views.ResetLinkView.as_view()),
        name="password_reset_confirm",
    ),
    path("email/", where_mail_is_sent(reset_views.email), name="email"),
    path("instructions/", own_instructions, name="instructions"),
    path("logins/", views.signed_in, name="logins"),
    path("logins/<int:pk>/end/", sent_from("logins")(views.end_login), name="end_login"),
    path("logins/end/", sent_from("logins")(views.end_all_logins), name="end_all_logins"),
    path("tool-servers/", tool_servers.listing, name="tool_servers"),
    path("tool-servers/callback/", tool_servers.callback, name="tool_server_callback"),
    path("tool-servers/client.json", tool_servers.client_document, name="tool_server_client"),
    path("tool-servers/<int:pk>/connect/", sent_from("tool_servers")(tool_servers.connect), name="connect_tool_server"),
    path(
        "tool-servers/<int:pk>/disconnect/",
        sent_from("tool_servers")(tool_servers.disconnect),
        name="disconnect_tool_server",
    ),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
]
