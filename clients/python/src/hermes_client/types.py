"""The types of the API, made from /api/openrpc.json by `make types`: not to be changed by hand."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Audience = Literal["users", "everybody"]
Cause = Literal[
    "first",
    "model",
    "profile",
    "prompt",
    "tools",
    "software",
    "compacted",
    "edited",
    "expired",
    "evicted",
    "unreported",
    "host",
    "other",
]
EmptyResult = dict[str, Any]
Per = Literal["day", "week", "month"]
TurnKind = Literal["message", "edit", "regeneration", "resumption", "compaction", "title", "refresh"]
TurnStatus = Literal["queued", "running", "complete", "stopped", "failed", "interrupted", "withdrawn"]


class AccountNotification(TypedDict):
    """What the user may use has changed: `features`, and maybe the profiles that they may choose. It is told
    to connections that have asked for `account.features`.
    """

    features: list[Literal["files", "api_tokens", "sharing"]]


class ActivityMessage(TypedDict):
    """Structured progress that is not conversation content, materialised as a message so it keeps its place
    in the sequence. Stands alone rather than composing BaseMessage, because its content is an object rather
    than a string.
    """

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["activity"]
    activityType: str
    content: dict[str, Any]
    metadata: NotRequired[dict[str, Any] | None]


class ApprovalChanged(TypedDict):
    """A call waits for a person to approve it, or one has decided: `turn.resume`, or something else that was
    said.
    """

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["approval.waiting", "approval.decided"]
    value: ApprovalShape | None


class ApprovalShape(TypedDict):
    """A call that waits for a person, or that one has decided; `arguments` is the model's own JSON text.
    `run_id` is the turn that ended to wait for it. `decision` is null while it waits. `note` is what the
    person said with it; `always`: later calls of the tool in this session are approved as well.
    """

    id: str
    session_id: str
    run_id: str
    tool_call_id: str
    tool: str
    arguments: str
    decision: Literal["approved", "refused"] | None
    note: NotRequired[str | None]
    always: NotRequired[bool]


class AssistantMessage(TypedDict):
    """A message from the agent. Content is optional because a turn may consist only of tool calls."""

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["assistant"]
    name: NotRequired[str | None]
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    content: NotRequired[str | None]
    toolCalls: NotRequired[list[ToolCall] | None]


class AudioPart(TypedDict):
    """An audio part."""

    type: Literal["audio"]
    id: NotRequired[str | None]
    source: DataSource | UrlSource | FileSource
    metadata: NotRequired[Any]


class BranchSelected(TypedDict):
    """Another line of a session is shown: its messages must be fetched again."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["branch.selected"]
    value: SessionShape | None


class BudgetData(TypedDict):
    """Which budget has too little left, and when it resets; `retry_after` is in how many seconds to try
    again. That is sooner than the reset where turns under way hold what is left.
    """

    retry_after: int
    budget: str
    resets_at: str


class BudgetShape(TypedDict):
    """A budget that binds a user, in its present period. `spent` and `limit` are US dollars, or tokens of
    prompts and answers. `scarce`: so much is spent that users are told. `unpriced` requests went to models
    whose price nobody knows: in dollars they count as nothing.
    """

    name: str
    per: Per
    unit: Literal["usd", "tokens"]
    spent: float
    limit: float
    resets_at: str
    scarce: bool
    unpriced: int


class CallProgress(TypedDict):
    """How far a call is: `progress` of `total`, null where nobody knows, and a word about it."""

    toolCallId: str
    progress: float
    total: float | None
    message: str | None


class ChoiceShape(TypedDict):
    """A profile that a user may choose for a session, or for one answer. `memory`: whether the user's memory
    is told to it. `input_price` is what a million tokens of a prompt cost that no cache holds, in US dollars;
    null where no price is known.
    """

    id: int
    name: str
    description: str
    model: str
    is_default: bool
    memory: bool
    takes_images: bool
    takes_files: bool
    input_price: float | None


class CompactResult(TypedDict):
    """The turn that writes the summary; null where the model writes none."""

    run_id: str | None


class ConflictData(TypedDict):
    """What is so: the session's revision, or its profile (null where it was removed), or the id that is
    taken. `approvals` are those that were named, of which one was decided already. `legal_hold`: nothing of
    the account can be deleted now.
    """

    revision: NotRequired[int]
    profile: NotRequired[int | None]
    message_id: NotRequired[str]
    approvals: NotRequired[list[DecidedData]]
    legal_hold: NotRequired[bool]


class Context(TypedDict):
    """A named piece of ambient information given to the agent for the run, distinct from the conversation."""

    description: str
    value: str


class ContextShape(TypedDict):
    """How full a conversation is: `tokens` of the last prompt and its answer, `limit` of the model's window.
    Either is null where nobody knows it.
    """

    tokens: int | None
    limit: int | None


class DataSource(TypedDict):
    """Bytes carried inline."""

    type: Literal["data"]
    value: str
    mimeType: str


class DecideResult(TypedDict):
    """The message, which says what was decided; `memory` is what was saved by this."""

    message: MessageShape
    memory: MemoryShape | None


class DecidedData(TypedDict):
    """What was decided on a call, null where nothing was yet, and the turn that goes on with it."""

    approval_id: str
    decision: Literal["approved", "refused"] | None
    run_id: str | None


class DecisionParams(TypedDict):
    approval_id: str
    approve: bool
    note: NotRequired[str]
    always: NotRequired[bool]


class DeltaMetadata(TypedDict):
    """The metadata of TEXT_MESSAGE_CONTENT: the characters of the message before this delta."""

    offset: int


class Description(TypedDict):
    """An OpenRPC document."""

    openrpc: str
    info: dict[str, Any]
    methods: list[dict[str, Any]]


class DeveloperMessage(TypedDict):
    """Instructions from the application developer."""

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["developer"]
    name: NotRequired[str | None]
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    content: str


class DocumentPart(TypedDict):
    """A document part."""

    type: Literal["document"]
    id: NotRequired[str | None]
    source: DataSource | UrlSource | FileSource
    metadata: NotRequired[Any]


class EditResult(TypedDict):
    """The turn that answers, the new message, and the session, whose new branch is shown."""

    run_id: str
    message: MessageShape
    session: SessionShape


class EndedMetadata(TypedDict):
    """The metadata of RUN_FINISHED and RUN_ERROR: the turn's line in the ledger."""

    ledger: LedgerShape


class ErrorShape(TypedDict):
    """Why a turn has no answer, or one that broke off: RUN_ERROR's code, and its sentence for people."""

    code: str
    text: str


class FactNotification(TypedDict):
    """One of the project's own facts, sent to all of the user's connections. `session_id` is null where it is
    about no session, but about the user's memory. `cursor` is its place among the user's facts: from 1,
    rising by one, without gaps. Its value is that of the moment it is sent, null where what it is about has
    been deleted since.
    """

    session_id: str | None
    run_id: None
    seq: None
    event: (
        SessionChanged
        | SessionDeleted
        | MessageCreated
        | MessageUpdated
        | BranchSelected
        | QueueChanged
        | TurnChanged
        | TranscriptChanged
        | MemoryUpdated
        | ApprovalChanged
    )
    cursor: int


class FeaturesResult(TypedDict):
    """`features`: those that the caller may use; others are for groups that they are not in. From here on the
    connection is told `account.changed` when they change, or the profiles that may be chosen.
    """

    features: list[Literal["files", "api_tokens", "sharing"]]


class FileShape(TypedDict):
    """A file of a user: its name, and what was found in its bytes. `width` and `height` are those of a
    picture, in pixels; `pages` those of a document (sheets, slides); `text_characters` are told to the model.
    `notice` says what of it is not. `url` has its bytes, and with `?thumbnail` a small picture.
    """

    id: str
    name: str
    media_type: str
    size: int
    width: NotRequired[int | None]
    height: NotRequired[int | None]
    pages: NotRequired[int | None]
    text_characters: NotRequired[int | None]
    notice: NotRequired[str | None]
    url: str


class FileSource(TypedDict):
    """Bytes already at the provider, named by a handle the provider issued: an OpenAI or Anthropic file id, a
    Gemini file URI, a storage URL only that provider can read. No bytes travel and nothing is fetched. Only
    the provider that minted the handle can resolve it; a peer that cannot drops the part as it drops any part
    it cannot use.
    """

    type: Literal["file"]
    value: str
    provider: NotRequired[str | None]
    mimeType: NotRequired[str | None]


class FilesUsed(TypedDict):
    """How many bytes the files take, with what was made of them, and how many they may."""

    bytes: int
    quota: int


class FunctionCall(TypedDict):
    """The name and arguments of a tool call."""

    name: str
    arguments: str


class GuardShape(TypedDict):
    """What the guard decided for a turn: was the agent reused, could its memory be trusted, why."""

    agent: Literal["reused", "built"]
    transcript: Literal["kept", "read"]
    reason: str


class HitShape(TypedDict):
    """A message in which the query was found; `snippet` is plain text around the first place. `marks` are the
    places in the snippet, each its start and end in characters. `title` is its session's.
    """

    session_id: str
    title: str
    message_id: str
    position: int
    snippet: str
    marks: list[list[int]]


class ImagePart(TypedDict):
    """An image part."""

    type: Literal["image"]
    id: NotRequired[str | None]
    source: DataSource | UrlSource | FileSource
    metadata: NotRequired[Any]


class Interrupt(TypedDict):
    """Something a run needs from outside before it can continue, such as an approval or a missing value."""

    subagentRunId: NotRequired[str | None]
    id: str
    reason: str
    message: NotRequired[str | None]
    toolCallId: NotRequired[str | None]
    responseSchema: NotRequired[dict[str, Any] | None]
    expiresAt: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class LedgerResult(TypedDict):
    """What a session's counted turns have cost together, and whether its profile was changed since."""

    fresh_tokens: int
    cache_write_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    expected_tokens: int
    turns: int
    cost: float | None
    saved: float | None
    unpriced_turns: int
    misses: list[MissCountShape]
    retentions: list[RetentionCountShape]
    profile: ProfileShape | None


class LedgerShape(TypedDict):
    """A turn's line in the ledger. `miss` says why tokens that were expected were not cached, or that it was
    the session's first turn. `cost` and `saved` are US dollars, null where no price is known; `saved` is
    against the same tokens without a cache. `told_reason` is what the provider itself says of a miss, null
    where it says nothing. `retention` is the choice of the turn's last request, null where its provider
    leaves none.
    """

    fresh_tokens: int
    cache_write_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    expected_tokens: int
    provider: str
    model: str
    miss: MissShape | None
    told_reason: str | None
    cost: float | None
    saved: float | None
    guard: GuardShape | None
    retention: RetentionShape | None


class LimitData(TypedDict):
    """What is allowed: characters, of all texts together; of a batch, requests."""

    limit: int


class ListResult(TypedDict):
    """`running`: the ids of those listed in which a turn runs; `next_cursor`: null on the last page. `cursor`
    is that of the facts which the list reflects, for `events.since`.
    """

    sessions: list[SessionShape]
    running: list[str]
    next_cursor: str | None
    cursor: int


class MemoriesShape(TypedDict):
    """All that a user wants to be known, oldest first, and whether it is told to models at all."""

    enabled: bool
    memories: list[MemoryShape]


class MemoryChangeShape(TypedDict):
    """A user's memory has changed: whether it is told at all, and how many memories there are."""

    enabled: bool
    count: int


class MemoryResult(TypedDict):
    """The memory as it is kept."""

    memory: MemoryShape


class MemoryShape(TypedDict):
    """One thing that a user wants to be known in all their chats."""

    id: str
    text: str
    created_at: str


class MemoryUpdated(TypedDict):
    """The user's memory has changed: what is shown of it must be fetched again."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["memory.updated"]
    value: MemoryChangeShape | None


class MessageCreated(TypedDict):
    """A user's message begins its turn, an answer was stored, or a step that called tools, with their
    results.
    """

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["message.created"]
    value: MessageShape | None


class MessageResult(TypedDict):
    """The message as it is now."""

    message: MessageShape


class MessageShape(TypedDict):
    """One message of the conversation shown. `position` is null while the message is queued. `alternatives`
    are the ids of the other messages that stand in the same place, in other branches, oldest first; `place`
    is which of all of them this one is by age, from 1. `kind` is null of what was said, else what this
    message is instead: the `summary` that the model is sent in the place of what came before, or a `note` of
    the host to the model. `model` is who answered, `rating` what the user thinks of it. `files` are those
    that it was said with. `tool_calls` and `tool_call_id` tie an assistant's calls to the tool messages that
    answer them. The message that ended a turn has the turn's `ledger`, where its provider has counted
    anything. `reasoning` is what the model let be seen of its thoughts. `proposal` is how a memory stands
    that a call of the tool `remember` has proposed, of that call's result. `finish` says why an answer is not
    whole although its provider ended it as it should, `error` why it broke off; of a turn without an answer,
    the user's message has the error.
    """

    id: str
    position: int | None
    role: Literal["user", "assistant", "tool"]
    text: str
    status: Literal["complete", "stopped", "interrupted", "failed"]
    created_at: str
    alternatives: list[str]
    place: NotRequired[int]
    kind: NotRequired[Literal["summary", "note"] | None]
    model: NotRequired[str | None]
    rating: NotRequired[Literal[1, -1] | None]
    proposal: NotRequired[Literal["open", "saved", "refused"] | None]
    reasoning: NotRequired[str | None]
    finish: NotRequired[Literal["length", "content_filter", "refusal", "context", "pause", "budget"] | None]
    error: NotRequired[ErrorShape | None]
    files: NotRequired[list[FileShape] | None]
    tool_calls: NotRequired[list[ToolCallShape] | None]
    tool_call_id: NotRequired[str | None]
    ledger: NotRequired[LedgerShape | None]


class MessageUpdated(TypedDict):
    """Something else than the text of a message has changed: what its user thinks of it."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["message.updated"]
    value: MessageShape | None


class MissCountShape(TypedDict):
    """How many turns had a miss of one cause."""

    cause: Cause
    reason: str
    turns: int


class MissShape(TypedDict):
    """Why the provider's cache had fewer tokens than expected; `reason` says the cause to a person."""

    cause: Cause
    reason: str


class OpenResult(TypedDict):
    """The end of a session, the running turn (null where none runs), those that wait, and calls that wait for
    a person. `cursor` is that of the facts which all this reflects, for `events.since`.
    """

    messages: list[MessageShape]
    has_more: bool
    session: SessionShape
    run: RunShape | None
    queued: list[QueuedShape]
    approvals: list[ApprovalShape]
    cursor: int


class ProfileShape(TypedDict):
    """A session's profile; `current` where a session made of it now would begin with the same prompt and
    tools.
    """

    name: str
    current: bool


class ProfilesResult(TypedDict):
    """The profiles that the caller may choose."""

    profiles: list[ChoiceShape]


class QueueChanged(TypedDict):
    """A turn was queued, or withdrawn before it began."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["turn.queued", "turn.withdrawn"]
    value: QueuedShape | None


class QueuedShape(TypedDict):
    """A turn that was asked for and has not begun; `text` is empty where its kind brings no message. Without
    `kind` it is one for a message. `error`: why it was withdrawn, where its user has not done that.
    """

    run_id: str
    message_id: str
    text: str
    kind: NotRequired[TurnKind]
    files: NotRequired[list[FileShape] | None]
    error: NotRequired[ErrorShape | None]


class QuotaData(TypedDict):
    """What is used up, so that waiting does not help."""

    quota: Literal["sessions", "text", "memories", "memory_text", "shares"]
    used: int
    limit: int


class ReasoningEndEvent(TypedDict):
    """Closes a span of reasoning."""

    type: Literal["REASONING_END"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str


class ReasoningMessage(TypedDict):
    """A span of the agent's reasoning, materialised as a message. Stands alone rather than composing
    BaseMessage, because it carries no name.
    """

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["reasoning"]
    content: str
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class ReasoningMessageContentEvent(TypedDict):
    """Appends a fragment to a streamed reasoning message."""

    type: Literal["REASONING_MESSAGE_CONTENT"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str
    delta: str


class ReasoningMessageEndEvent(TypedDict):
    """Closes a streamed reasoning message."""

    type: Literal["REASONING_MESSAGE_END"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str


class ReasoningMessageStartEvent(TypedDict):
    """Opens a streamed reasoning message."""

    type: Literal["REASONING_MESSAGE_START"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str
    role: Literal["reasoning"]


class ReasoningStartEvent(TypedDict):
    """Opens a span of reasoning. A span may contain several reasoning messages."""

    type: Literal["REASONING_START"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str


class RegenerateResult(TypedDict):
    """The turn that answers, and the session, whose new branch is shown."""

    run_id: str
    session: SessionShape


class RenderResult(TypedDict):
    """`html`: each of the texts, in their order, safe to show."""

    html: list[str]


class ResumeEntry(TypedDict):
    """An answer to one interrupt, sent on the run that continues from it."""

    interruptId: str
    status: Literal["resolved", "cancelled"]
    payload: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]


class ResumeResult(TypedDict):
    """The turn that goes on with what was decided."""

    run_id: str


class RetentionCountShape(TypedDict):
    """How many turns ended with the conversation to be kept for so many seconds."""

    seconds: int
    turns: int


class RetentionShape(TypedDict):
    """For how many seconds the provider was to keep the conversation (0: not at all); `reason` says why."""

    seconds: int
    reason: str


class RunAgentInput(TypedDict):
    """A request to run an agent. Also echoed back as RUN_STARTED.input. Only threadId, runId and messages are
    required: those are the three the SDKs already agree on, and for tools and context an absent key and an
    empty array mean the same thing, so requiring them would catch nothing a producer could get wrong.
    """

    threadId: str
    runId: str
    protocolVersion: NotRequired[str | None]
    parentRunId: NotRequired[str | None]
    state: NotRequired[Any]
    messages: list[
        DeveloperMessage
        | SystemMessage
        | AssistantMessage
        | UserMessage
        | ToolMessage
        | ActivityMessage
        | ReasoningMessage
    ]
    tools: NotRequired[list[Tool] | None]
    context: NotRequired[list[Context] | None]
    forwardedProps: NotRequired[Any]
    resume: NotRequired[list[ResumeEntry] | None]


class RunFinishedCancelledOutcome(TypedDict):
    """The run was stopped before it completed, by whoever was running it, and did not fail. Neither success
    nor interrupt: nothing was produced as a result, and nothing is waited for, so the next run on the thread
    is an ordinary new run rather than a resume. Closed like its siblings: a cancelled run has no interrupts
    to carry. Named in the schema before 1.0 because an outcome a consumer does not recognise is stripped and
    read as success — a cancellation added later would reach every 1.0 consumer as a completed run.
    """

    type: Literal["cancelled"]


class RunFinishedInterruptOutcome(TypedDict):
    """The run is paused, waiting for something outside it. Resuming means starting a new run whose resume
    entries answer these interrupts.
    """

    type: Literal["interrupt"]
    interrupts: list[Interrupt]


class RunFinishedSuccessOutcome(TypedDict):
    """The run completed. Equivalent to an absent outcome. Closed like every other object, which is also what
    keeps it from carrying the suspended sibling's interrupts — a success with an interrupt still pending
    would be a contradiction, not an extension. A completed run may still have left frontend tool calls for
    the application to answer; pendingToolCallIds names them.
    """

    type: Literal["success"]
    pendingToolCallIds: NotRequired[list[str] | None]


class RunNotification(TypedDict):
    """One event of a run; `seq` is null for the end of a run whose owner died."""

    session_id: str
    run_id: str
    seq: int | None
    event: (
        TurnStarted
        | TextMessageStartEvent
        | TextDelta
        | TextMessageEndEvent
        | ToolCallStartEvent
        | ToolCallArgsEvent
        | ToolCallEndEvent
        | ToolProgress
        | ToolResult
        | ReasoningStartEvent
        | ReasoningMessageStartEvent
        | ReasoningMessageContentEvent
        | ReasoningMessageEndEvent
        | ReasoningEndEvent
        | WorkBegan
        | WorkEnded
        | TurnFinished
        | TurnFailed
    )


class RunShape(TypedDict):
    """The running turn: `text` and `calls` with the run events after `seq` are the whole answer. The calls of
    a run in another process are not told.
    """

    run_id: str
    message_id: str
    text: str
    seq: int
    calls: NotRequired[list[RunningCallShape]]


class RunningCallShape(TypedDict):
    """A tool call under way: what the tool is given so far, and how far it is where it has said so."""

    id: str
    name: str
    arguments: str
    progress: NotRequired[CallProgress | None]


class SearchResult(TypedDict):
    """The messages found, the best first."""

    hits: list[HitShape]


class SelectResult(TypedDict):
    """The session and its last messages, as they are shown now."""

    messages: list[MessageShape]
    has_more: bool
    session: SessionShape


class SessionChanged(TypedDict):
    """A session was created, or its title, flags, activity or messages changed."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["session.created", "session.updated"]
    value: SessionShape | None


class SessionDeleted(TypedDict):
    """A session is gone; the value is its id."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["session.deleted"]
    value: str


class SessionResult(TypedDict):
    """The session as it is now."""

    session: SessionShape


class SessionShape(TypedDict):
    """One conversation, without its messages; `profile` is the id of what answers in it, null if it was
    removed. `memory`: whether the user's memory is told here, where there is one.
    """

    id: str
    title: str
    message_count: int
    revision: int
    created_at: str
    updated_at: str
    archived: bool
    pinned: bool
    memory: bool
    profile: int | None
    context: ContextShape


class SessionsUsed(TypedDict):
    """How many sessions there are, and how many may be."""

    count: int
    quota: int


class ShareResult(TypedDict):
    """The link as it is kept."""

    share: ShareShape


class ShareShape(TypedDict):
    """A link to a chat up to and with the message `until`. `url` is its address on this site. `url` is null
    where the site's SECRET_KEY was replaced since: the link works, and nobody can be told it again.
    `audience` is whom it is for; `expires_at` when it ends, null for never.
    """

    id: str
    url: str | None
    created_at: str
    until: str
    audience: Audience
    expires_at: str | None


class SharesResult(TypedDict):
    """The links to a chat, oldest first; and whom the site lets chats be shared with, the narrowest first."""

    shares: list[ShareShape]
    audiences: list[Audience]


class SinceResult(TypedDict):
    """The facts, in order, and the `cursor` to go on from; `has_more`: there are more. `reset`: what was
    asked for is no longer kept, or beyond the newest, so everything must be fetched again.
    """

    events: list[FactNotification]
    cursor: int
    has_more: bool
    reset: bool


class StartResult(TypedDict):
    """The turn and the caller's message; `queued`: it runs after the turns before it."""

    run_id: str
    message: MessageShape
    queued: bool


class StartedMetadata(TypedDict):
    """The metadata of RUN_STARTED."""

    guard: GuardShape


class StopResult(TypedDict):
    """`stopped` is false where the turn had ended before, or none ran."""

    stopped: bool


class SystemMessage(TypedDict):
    """Instructions from the system."""

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["system"]
    name: NotRequired[str | None]
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    content: str


class TextDelta(TypedDict):
    """AG-UI's TEXT_MESSAGE_CONTENT, with its place in the text."""

    type: Literal["TEXT_MESSAGE_CONTENT"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: DeltaMetadata
    subagentRunId: NotRequired[str | None]
    messageId: str
    delta: str


class TextMessageEndEvent(TypedDict):
    """Closes a streamed text message."""

    type: Literal["TEXT_MESSAGE_END"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str


class TextMessageStartEvent(TypedDict):
    """Opens a streamed text message. The content arrives as TEXT_MESSAGE_CONTENT events and the message
    closes with TEXT_MESSAGE_END.
    """

    type: Literal["TEXT_MESSAGE_START"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str
    role: NotRequired[Literal["developer", "system", "assistant", "user"] | None]
    name: NotRequired[str | None]


class TextPart(TypedDict):
    """A text part."""

    type: Literal["text"]
    id: NotRequired[str | None]
    text: str
    metadata: NotRequired[Any]


class TextUsed(TypedDict):
    """How many characters the sessions hold, and how many they may."""

    characters: int
    quota: int


class TokenUsage(TypedDict):
    """Token counts for one provider and model, in the protocol's own accounting: every count is either a
    total or a named part of one, so entries from different providers add up without double-counting.
    inputTokens and outputTokens are the totals; reasoningTokens, cachedInputTokens and cacheWriteInputTokens
    are parts of them, never additions to them; totalTokens is the two totals summed. Every field is a label
    or a number — nothing content-bearing or identifying, no prompts, completions, messages, or thread, run
    and user identifiers.
    """

    provider: NotRequired[str | None]
    model: NotRequired[str | None]
    inputTokens: NotRequired[int | None]
    outputTokens: NotRequired[int | None]
    totalTokens: NotRequired[int | None]
    reasoningTokens: NotRequired[int | None]
    cachedInputTokens: NotRequired[int | None]
    cacheWriteInputTokens: NotRequired[int | None]


class Tool(TypedDict):
    """A tool the agent may call."""

    name: str
    description: str
    parameters: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]


class ToolCall(TypedDict):
    """A call an assistant message made. Carries no subagent attribution of its own and inherits its
    containing message's, since several calls can share one parent.
    """

    id: str
    type: Literal["function"]
    function: FunctionCall
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class ToolCallArgsEvent(TypedDict):
    """Appends a fragment of a tool call's arguments."""

    type: Literal["TOOL_CALL_ARGS"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    toolCallId: str
    delta: str


class ToolCallEndEvent(TypedDict):
    """Closes a tool call, meaning its arguments are complete."""

    type: Literal["TOOL_CALL_END"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    toolCallId: str


class ToolCallShape(TypedDict):
    """A call that an assistant's message made; `arguments` is the model's own JSON text. `client`: the tool
    is one that a program has brought and runs itself. `waits`: its result is still to come from there, unless
    something else was said by now. `approval` says how a call stands that a person was asked about, `note`
    what they said with it; `always`: later calls of the tool in this session were approved as well.
    """

    id: str
    name: str
    arguments: str
    client: NotRequired[bool]
    waits: NotRequired[bool]
    approval: NotRequired[Literal["waiting", "approved", "refused"] | None]
    note: NotRequired[str | None]
    always: NotRequired[bool]


class ToolCallStartEvent(TypedDict):
    """Opens a tool call. The arguments arrive as TOOL_CALL_ARGS events and the call closes with
    TOOL_CALL_END.
    """

    type: Literal["TOOL_CALL_START"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    toolCallId: str
    toolCallName: str
    parentMessageId: NotRequired[str | None]


class ToolMessage(TypedDict):
    """What a tool returned, as a message in the conversation. Stands alone rather than composing BaseMessage,
    because it carries no name.
    """

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["tool"]
    content: str | list[TextPart | ImagePart | AudioPart | VideoPart | DocumentPart]
    toolCallId: str
    error: NotRequired[str | None]
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class ToolProgress(TypedDict):
    """A tool is at work, and says how far it is: at most four times a second, and kept nowhere."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["tool.progress"]
    value: CallProgress


class ToolResult(TypedDict):
    """AG-UI's TOOL_CALL_RESULT: what a tool answered is text."""

    type: Literal["TOOL_CALL_RESULT"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    messageId: str
    toolCallId: str
    content: str
    role: NotRequired[Literal["tool"] | None]


class TranscriptChanged(TypedDict):
    """Another program has changed what a session holds: what is shown of it must be fetched again."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["transcript.changed"]
    value: TranscriptShape | None


class TranscriptShape(TypedDict):
    """Another program has changed what a session holds; `revision` is the present one."""

    session_id: str
    revision: int


class TurnChanged(TypedDict):
    """A turn began, or ended: then its answer, where there is one, was told before."""

    type: Literal["CUSTOM"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    name: Literal["turn.began", "turn.ended"]
    value: TurnShape | None


class TurnFailed(TypedDict):
    """AG-UI's RUN_ERROR, with the same metadata."""

    type: Literal["RUN_ERROR"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[EndedMetadata | None]
    message: str
    code: NotRequired[str | None]
    usage: NotRequired[list[TokenUsage] | None]


class TurnFinished(TypedDict):
    """AG-UI's RUN_FINISHED; without metadata where the provider has counted nothing."""

    type: Literal["RUN_FINISHED"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[EndedMetadata | None]
    threadId: str
    runId: str
    result: NotRequired[Any]
    outcome: NotRequired[RunFinishedSuccessOutcome | RunFinishedInterruptOutcome | RunFinishedCancelledOutcome | None]
    usage: NotRequired[list[TokenUsage] | None]


class TurnShape(TypedDict):
    """How a turn stands; `message_id` is the id that its answer has, or would have. Without `kind` it is one
    for a message.
    """

    session_id: str
    run_id: str
    status: TurnStatus
    message_id: str
    error: ErrorShape | None
    kind: NotRequired[TurnKind]


class TurnStarted(TypedDict):
    """AG-UI's RUN_STARTED; without metadata where the turn ended before the guard was asked."""

    type: Literal["RUN_STARTED"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[StartedMetadata | None]
    threadId: str
    runId: str
    protocolVersion: NotRequired[str | None]
    parentRunId: NotRequired[str | None]
    input: NotRequired[RunAgentInput | None]


class UrlSource(TypedDict):
    """Bytes referenced by URL, fetched by whoever needs them."""

    type: Literal["url"]
    value: str
    mimeType: NotRequired[str | None]


class UsageResult(TypedDict):
    """What the caller stores, each kind with its quota, and what is spent of the `budgets` that bind them."""

    sessions: SessionsUsed
    text: TextUsed
    files: FilesUsed
    budgets: list[BudgetShape]


class UserMessage(TypedDict):
    """A message from the person using the application."""

    subagentRunId: NotRequired[str | None]
    id: str
    role: Literal["user"]
    name: NotRequired[str | None]
    encryptedValue: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    content: str | list[TextPart | ImagePart | AudioPart | VideoPart | DocumentPart]


class VideoPart(TypedDict):
    """A video part."""

    type: Literal["video"]
    id: NotRequired[str | None]
    source: DataSource | UrlSource | FileSource
    metadata: NotRequired[Any]


class WaitData(TypedDict):
    """In how many seconds to try again."""

    retry_after: int


class WindowResult(TypedDict):
    """`has_more`: there are older messages, `has_newer`: there are newer ones."""

    messages: list[MessageShape]
    has_more: bool
    has_newer: bool


class WorkBegan(TypedDict):
    """AG-UI's STEP_STARTED: the host makes a summary of the chat, before an answer or in the place of one."""

    type: Literal["STEP_STARTED"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    stepName: Literal["compaction"]


class WorkEnded(TypedDict):
    """AG-UI's STEP_FINISHED, whatever came of it."""

    type: Literal["STEP_FINISHED"]
    timestamp: NotRequired[int | None]
    rawEvent: NotRequired[Any]
    metadata: NotRequired[dict[str, Any] | None]
    subagentRunId: NotRequired[str | None]
    stepName: Literal["compaction"]


Notice = RunNotification | FactNotification
