"""Django admin for inspection: what users, sessions and turns are like, and what they cost.

Nothing of a conversation can be written here, only deleted; profiles and ordinary accounts can be edited, and a
profile applied to sessions that began with it as it was. Rights are changed by superusers only.
"""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group, User

from sessions_app.accounts.models import IdentityProvider
from sessions_app.admin.audit import AuditEntryAdmin
from sessions_app.admin.budgets import BudgetAdmin
from sessions_app.admin.features import FeatureRuleAdmin
from sessions_app.admin.groups import RightsGroupAdmin
from sessions_app.admin.identity_providers import IdentityProviderAdmin
from sessions_app.admin.profiles import AgentProfileAdmin
from sessions_app.admin.purging import DeletionRequestAdmin, LegalHoldAdmin, PurgeRunAdmin, RetentionPolicyAdmin
from sessions_app.admin.sessions import ChatSessionAdmin
from sessions_app.admin.shares import ShareAdmin
from sessions_app.admin.tokens import ApiTokenAdmin
from sessions_app.admin.tool_servers import ToolServerAdmin
from sessions_app.admin.turns import TurnAdmin
from sessions_app.admin.users import AccountAdmin
from sessions_app.admin.webhook_log import WebhookDeliveryAdmin
from sessions_app.admin.webhooks import WebhookAdmin
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    AuditEntry,
    Budget,
    ChatSession,
    DeletionRequest,
    FeatureRule,
    LegalHold,
    PurgeRun,
    RetentionPolicy,
    Share,
    ToolServer,
    Turn,
    Webhook,
    WebhookDelivery,
)

admin.site.site_header = admin.site.site_title = "Hermes Site administration"
admin.site.index_title = "Overview"
admin.site.index_template = "admin/sessions_app/index.html"

admin.site.register(ChatSession, ChatSessionAdmin)
admin.site.register(Turn, TurnAdmin)
admin.site.register(AgentProfile, AgentProfileAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
admin.site.register(Share, ShareAdmin)
admin.site.register(ToolServer, ToolServerAdmin)
admin.site.register(FeatureRule, FeatureRuleAdmin)
admin.site.register(AuditEntry, AuditEntryAdmin)
admin.site.register(RetentionPolicy, RetentionPolicyAdmin)
admin.site.register(LegalHold, LegalHoldAdmin)
admin.site.register(DeletionRequest, DeletionRequestAdmin)
admin.site.register(PurgeRun, PurgeRunAdmin)
admin.site.register(Budget, BudgetAdmin)
admin.site.register(Webhook, WebhookAdmin)
admin.site.register(WebhookDelivery, WebhookDeliveryAdmin)
admin.site.register(IdentityProvider, IdentityProviderAdmin)
# The library's own pages show secrets, and what a user logs in with (`ways_in`).
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
admin.site.unregister(Group)
admin.site.register(Group, RightsGroupAdmin)
# A project with a user model of its own has pages of its own for it.
if admin.site.is_registered(User):
    admin.site.unregister(User)
    admin.site.register(User, AccountAdmin)
