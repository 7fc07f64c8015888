"""The rows that Hermes Site keeps: profiles, sessions, branches, messages, turns, tokens, the journal.

Identifiers that leave the server are UUIDs; positions, counters and primary keys of the
large tables stay inside. Everything that must never be is a constraint of the database.
"""

from sessions_app.models.approvals import Approval, CallState, Decision, StandingApproval
from sessions_app.models.audit import NO_DIGEST, ActorKind, AuditEntry, AuditHead
from sessions_app.models.authorisations import Authorisation, AuthorisationClient, AuthorisationRequest
from sessions_app.models.budgets import Budget, BudgetPeriod, Per, Unit
from sessions_app.models.features import Feature, FeatureRule
from sessions_app.models.files import ContentState, FileContent, MessageFile, TurnFile, UserFile
from sessions_app.models.instructions import UserInstructions
from sessions_app.models.jobs import Job, JobKind, JobState
from sessions_app.models.journal import FactName, JournalEntry, JournalHead
from sessions_app.models.memory import Memory, MemoryDecision, UserMemory
from sessions_app.models.messages import (
    Message,
    MessageClaim,
    MessageKind,
    MessageName,
    MessageRating,
    MessageRole,
    MessageStatus,
)
from sessions_app.models.profiles import AgentProfile
from sessions_app.models.provisioning import ProvisionedGroup, ProvisionedUser
from sessions_app.models.purging import (
    DeletionKind,
    DeletionRequest,
    KeptSpending,
    LegalHold,
    PurgeRun,
    RetentionPolicy,
)
from sessions_app.models.refreshes import RefreshSpending
from sessions_app.models.sessions import Branch, ChatSession, SessionName, SessionStamp, StorageCount, TitleSource
from sessions_app.models.shares import Audience, Share, SharePage
from sessions_app.models.tickets import Ticket
from sessions_app.models.tokens import ApiToken, TooManyTokens
from sessions_app.models.tool_servers import ToolServer, ToolServerTool, ToolStanding
from sessions_app.models.turns import BESIDE, Turn, TurnKind, TurnStatus
from sessions_app.models.waiting import WaitingCall, WaitingKind
from sessions_app.models.webhooks import TEST as TEST_EVENT
from sessions_app.models.webhooks import DeliveryState, Webhook, WebhookDelivery

__all__ = [
    "BESIDE",
    "NO_DIGEST",
    "TEST_EVENT",
    "ActorKind",
    "AgentProfile",
    "ApiToken",
    "Approval",
    "Audience",
    "AuditEntry",
    "AuditHead",
    "Authorisation",
    "AuthorisationClient",
    "AuthorisationRequest",
    "Branch",
    "Budget",
    "BudgetPeriod",
    "CallState",
    "ChatSession",
    "ContentState",
    "Decision",
    "DeletionKind",
    "DeletionRequest",
    "DeliveryState",
    "FactName",
    "Feature",
    "FeatureRule",
    "FileContent",
    "Job",
    "JobKind",
    "JobState",
    "JournalEntry",
    "JournalHead",
    "KeptSpending",
    "LegalHold",
    "Memory",
    "MemoryDecision",
    "Message",
    "MessageClaim",
    "MessageFile",
    "MessageKind",
    "MessageName",
    "MessageRating",
    "MessageRole",
    "MessageStatus",
    "Per",
    "ProvisionedGroup",
    "ProvisionedUser",
    "PurgeRun",
    "RefreshSpending",
    "RetentionPolicy",
    "SessionName",
    "SessionStamp",
    "Share",
    "SharePage",
    "StandingApproval",
    "StorageCount",
    "Ticket",
    "TitleSource",
    "TooManyTokens",
    "ToolServer",
    "ToolServerTool",
    "ToolStanding",
    "Turn",
    "TurnFile",
    "TurnKind",
    "TurnStatus",
    "Unit",
    "UserFile",
    "UserInstructions",
    "UserMemory",
    "WaitingCall",
    "WaitingKind",
    "Webhook",
    "WebhookDelivery",
]
