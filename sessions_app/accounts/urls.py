"""Addresses of the accounts' pages."""

from django.contrib.auth.views import PasswordResetDoneView
from django.urls import path

from sessions_app.accounts import deletion, reset_views, shares, tool_servers, views
from sessions_app.accounts.detours import for_visitors, sent_from, where_mail_is_sent, where_passwords_count
from sessions_app.accounts.factors import pages
from sessions_app.accounts.factors import views as factor_views
from sessions_app.accounts.instructions import own_instructions
from sessions_app.accounts.providers import views as provider_views
from sessions_app.models import DeletionKind

_from_deletion = sent_from("deletion")

urlpatterns = [
    path("login/", for_visitors(views.LoginView.as_view()), name="login"),
    path("login/second-factor/", factor_views.second_factor, name="second_factor"),
    path("login/passkey/", sent_from("login")(factor_views.passkey_login), name="passkey_login"),
    path("login/passkey/options/", factor_views.passkey_options, name="passkey_options"),
    path("oidc/<slug:key>/login/", provider_views.begin_login, name="provider_login"),
    path("oidc/<slug:key>/callback/", provider_views.come_back, name="provider_callback"),
    path("oidc/<slug:key>/connect/", sent_from("security")(provider_views.connect), name="connect_provider"),
    path("oidc/<slug:key>/confirm/", sent_from("confirm")(provider_views.confirm), name="confirm_by_provider"),
    path(
        "oidc/links/<int:pk>/disconnect/",
        sent_from("security")(provider_views.disconnect),
        name="disconnect_provider",
    ),
    path("security/", pages.security, name="security"),
    path("security/confirm/", factor_views.confirm, name="confirm"),
    path("security/app/", pages.set_up_app, name="set_up_app"),
    path("security/app/remove/", sent_from("security")(pages.remove_app), name="remove_app"),
    path(
        "security/recovery-codes/",
        sent_from("security")(pages.new_recovery_codes),
        name="new_recovery_codes",
    ),
    path("security/passkeys/", sent_from("security")(pages.add_passkey), name="add_passkey"),
    path("security/passkeys/options/", pages.new_passkey_options, name="new_passkey_options"),
    path("security/passkeys/<int:pk>/", pages.change_passkey, name="change_passkey"),
    path("security/passkeys/<int:pk>/remove/", sent_from("security")(pages.remove_passkey), name="remove_passkey"),
    path("signup/", for_visitors(views.signup), name="signup"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path(
        "password_reset/",
        where_passwords_count(where_mail_is_sent(reset_views.ResetView.as_view())),
        name="password_reset",
    ),
    path(
        "password_reset/sent/",
        where_mail_is_sent(PasswordResetDoneView.as_view(template_name="registration/reset_sent.html")),
        name="password_reset_done",
    ),
    path(
        "password_reset/<uidb64>/<token>/",
        where_passwords_count(where_mail_is_sent(reset_views.ResetLinkView.as_view())),
        name="password_reset_confirm",
    ),
    path("email/confirm/<str:token>/", where_mail_is_sent(reset_views.confirm_email), name="confirm_email"),
    path("email/", where_mail_is_sent(reset_views.email), name="email"),
    path("delete/", deletion.overview, name="deletion"),
    path("delete/export/", _from_deletion(deletion.export), name="export_first"),
    path("delete/account/", deletion.ask, {"kind": DeletionKind.ACCOUNT}, name="delete_account"),
    path("delete/account/keep/", _from_deletion(deletion.keep), {"kind": DeletionKind.ACCOUNT}, name="keep_account"),
    path("delete/chats/", deletion.ask, {"kind": DeletionKind.CHATS}, name="delete_chats"),
    path("delete/chats/keep/", _from_deletion(deletion.keep), {"kind": DeletionKind.CHATS}, name="keep_chats"),
    path("instructions/", own_instructions, name="instructions"),
    path("logins/", views.signed_in, name="logins"),
    path("logins/<int:pk>/end/", sent_from("logins")(views.end_login), name="end_login"),
    path("logins/end/", sent_from("logins")(views.end_all_logins), name="end_all_logins"),
    path("shares/", shares.listing, name="shares"),
    path("shares/<uuid:pk>/revoke/", sent_from("shares")(shares.revoke), name="revoke_share"),
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
