// The types of the API, made from /api/openrpc.json by `make types`: not to be changed by hand.

export declare namespace Api {
  /** Of each method its params and its result. */
  interface Methods {
    /** Create a session. It is not opened by that. */
    "session.create": { params: { title?: string; profile?: number; memory?: boolean }; result: SessionResult };
    /** List the caller's sessions, newest activity first; archived ones only when asked for. */
    "session.list": { params: { limit?: number; cursor?: string | null; query?: string; archived?: boolean }; result: ListResult };
    /** Rename, archive or pin a session, or switch its memory: what is given changes, and it counts as no activity. */
    "session.update": { params: { session_id: string; title?: string; archived?: boolean; pinned?: boolean; memory?: boolean; profile?: number }; result: SessionResult };
    /** Tell what a session's turns have cost, why caches missed, and whether its profile was changed since it began. */
    "session.ledger": { params: { session_id: string }; result: LedgerResult };
    /** Let a session begin with its profile as it is now, from its next turn on: its prompt is read anew, once. */
    "session.apply_profile": { params: { session_id: string }; result: SessionResult };
    /** Make a new session of the line that a message ends; the old one stays as it is. */
    "session.fork": { params: { message_id: string }; result: SessionResult };
    /** End a session's run, then delete the session with all its messages. */
    "session.delete": { params: { session_id: string }; result: EmptyResult };
    /** Read the end of a session and receive its run events from here on, on this connection. */
    "session.open": { params: { session_id: string; limit?: number }; result: OpenResult };
    /** Receive no more run events of a session on this connection. */
    "session.close": { params: { session_id: string }; result: EmptyResult };
    /** Read the messages before a position, after one, or around a message; ascending. */
    "session.messages": { params: { session_id: string; before?: number; after?: number; around?: string; limit?: number }; result: WindowResult };
    /** Find text in the caller's messages, any substring in any script, best first. */
    "session.search": { params: { query: string; session_id?: string; limit?: number }; result: SearchResult };
    /** Show the line that a message is part of, as it goes on: the session's active branch from here on. */
    "branch.select": { params: { message_id: string }; result: SelectResult };
    /** Say what the caller thinks of an answer; null takes it back. */
    "message.rate": { params: { message_id: string; rating: 1 | -1 | null; comment?: string }; result: MessageResult };
    /** Say something: answered once the text is durable, run now or after the running turn. */
    "turn.start": { params: { session_id: string; files?: Array<string>; text: string; message_id?: string; revision?: number }; result: StartResult };
    /** Ask for another answer in the place of one, or to the last user's message: both stay, each in its branch. */
    "turn.regenerate": { params: { session_id: string; message_id?: string; profile?: number }; result: RegenerateResult };
    /** Decide on the calls that wait for a person: the approved ones are made, and the turn goes on. */
    "turn.resume": { params: { session_id: string; decisions: Array<DecisionParams> }; result: ResumeResult };
    /** Say something in the place of one of the caller's messages: both stay, each in its branch. */
    "message.edit": { params: { message_id: string; files?: Array<string>; text: string; new_id?: string }; result: EditResult };
    /** Put a summary in the place of the earlier part of a chat, for the model: its own, or a text; or use all again. */
    "session.compact": { params: { session_id: string; text?: string; undo?: boolean }; result: CompactResult };
    /** Stop the running turn, or the one named: the text so far is kept; a queued one is withdrawn. */
    "turn.stop": { params: { session_id: string; run_id?: string }; result: StopResult };
    /** Make a link to a chat as it is now; what is said or changed in it later is not in the link. */
    "share.create": { params: { session_id: string; until?: string; audience?: "users" | "everybody"; expires_at?: string }; result: ShareResult };
    /** List the links to a chat. */
    "share.list": { params: { session_id: string }; result: SharesResult };
    /** End a link at once. */
    "share.revoke": { params: { share_id: string }; result: EmptyResult };
    /** Tell what the caller wants to be remembered, oldest first, and whether it is told to models. */
    "memory.list": { params: Record<string, never>; result: MemoriesShape };
    /** Add a memory, kept as one line; one that is there already stays as it is. */
    "memory.add": { params: { text: string }; result: MemoryResult };
    /** Put a text in the place of a memory's. */
    "memory.update": { params: { text: string; memory_id: string }; result: MemoryResult };
    /** Delete a memory. */
    "memory.delete": { params: { memory_id: string }; result: EmptyResult };
    /** Have the memories told to models, or not: they are kept. */
    "memory.switch": { params: { enabled: boolean }; result: MemoriesShape };
    /** Save what a call of the tool remember has proposed, or refuse it: once, for the call's result. */
    "memory.decide": { params: { message_id: string; save: boolean }; result: DecideResult };
    /** List the profiles that the caller may choose. */
    "profile.list": { params: Record<string, never>; result: ProfilesResult };
    /** Tell the facts after a cursor, in order; what another program has changed until now is among them. */
    "events.since": { params: { cursor: number; limit?: number }; result: SinceResult };
    /** Tell which features the caller may use, and from now on when that changes. */
    "account.features": { params: Record<string, never>; result: FeaturesResult };
    /** Tell how much the caller stores and has spent, and how much they may. */
    "account.usage": { params: Record<string, never>; result: UsageResult };
    /** Turn Markdown into sanitised HTML, each text by itself. */
    "markdown.render": { params: { texts: Array<string> }; result: RenderResult };
    /** Describe the API: what ``/api/openrpc.json`` answers. */
    "rpc.discover": { params: Record<string, never>; result: Description };
  }
  /** Of each notification of the server its params. */
  interface Notifications {
    "session.event": RunNotification | FactNotification;
    "account.changed": AccountNotification;
  }
  /** What the user may use has changed: ``features``, and maybe the profiles that they may choose. It is told to connections that have asked for ``account.features``. */
  interface AccountNotification {
    features: Array<"files" | "api_tokens" | "sharing">;
  }
  /** Structured progress that is not conversation content, materialised as a message so it keeps its place in the sequence. Stands alone rather than composing BaseMessage, because its content is an object rather than a string. */
  interface ActivityMessage {
    subagentRunId?: string | null;
    id: string;
    role: "activity";
    activityType: string;
    content: Record<string, unknown>;
    metadata?: Record<string, unknown> | null;
  }
  /** A call waits for a person to approve it, or one has decided: ``turn.resume``, or something else that was said. */
  interface ApprovalChanged {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "approval.waiting" | "approval.decided";
    value: ApprovalShape | null;
  }
  /** A call that waits for a person, or that one has decided; ``arguments`` is the model's own JSON text. ``run_id`` is the turn that ended to wait for it. ``decision`` is null while it waits. ``note`` is what the person said with it; ``always``: later calls of the tool in this session are approved as well. */
  interface ApprovalShape {
    id: string;
    session_id: string;
    run_id: string;
    tool_call_id: string;
    tool: string;
    arguments: string;
    decision: "approved" | "refused" | null;
    note?: string | null;
    always?: boolean;
  }
  /** A message from the agent. Content is optional because a turn may consist only of tool calls. */
  interface AssistantMessage {
    subagentRunId?: string | null;
    id: string;
    role: "assistant";
    name?: string | null;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
    content?: string | null;
    toolCalls?: Array<ToolCall> | null;
  }
  /** Whom a link is for: everybody who has it, or those of them who are signed in. */
  type Audience = "users" | "everybody";
  /** An audio part. */
  interface AudioPart {
    type: "audio";
    id?: string | null;
    source: DataSource | UrlSource | FileSource;
    metadata?: unknown;
  }
  /** Another line of a session is shown: its messages must be fetched again. */
  interface BranchSelected {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "branch.selected";
    value: SessionShape | null;
  }
  /** Which budget has too little left, and when it resets; ``retry_after`` is in how many seconds to try again. That is sooner than the reset where turns under way hold what is left. */
  interface BudgetData {
    retry_after: number;
    budget: string;
    resets_at: string;
  }
  /** A budget that binds a user, in its present period. ``spent`` and ``limit`` are US dollars, or tokens of prompts and answers. ``scarce``: so much is spent that users are told. ``unpriced`` requests went to models whose price nobody knows: in dollars they count as nothing. */
  interface BudgetShape {
    name: string;
    per: Per;
    unit: "usd" | "tokens";
    spent: number;
    limit: number;
    resets_at: string;
    scarce: boolean;
    unpriced: number;
  }
  /** How far a call is: ``progress`` of ``total``, null where nobody knows, and a word about it. */
  interface CallProgress {
    toolCallId: string;
    progress: number;
    total: number | null;
    message: string | null;
  }
  /** Why a provider's cache had less than was expected; `sentence` says it to a person. */
  type Cause = "first" | "model" | "profile" | "prompt" | "tools" | "software" | "compacted" | "edited" | "expired" | "evicted" | "unreported" | "host" | "other";
  /** A profile that a user may choose for a session, or for one answer. ``memory``: whether the user's memory is told to it. ``input_price`` is what a million tokens of a prompt cost that no cache holds, in US dollars; null where no price is known. */
  interface ChoiceShape {
    id: number;
    name: string;
    description: string;
    model: string;
    is_default: boolean;
    memory: boolean;
    takes_images: boolean;
    takes_files: boolean;
    input_price: number | null;
  }
  /** The turn that writes the summary; null where the model writes none. */
  interface CompactResult {
    run_id: string | null;
  }
  /** What is so: the session's revision, or its profile (null where it was removed), or the id that is taken. ``approvals`` are those that were named, of which one was decided already. ``legal_hold``: nothing of the account can be deleted now. */
  interface ConflictData {
    revision?: number;
    profile?: number | null;
    message_id?: string;
    approvals?: Array<DecidedData>;
    legal_hold?: boolean;
  }
  /** A named piece of ambient information given to the agent for the run, distinct from the conversation. */
  interface Context {
    description: string;
    value: string;
  }
  /** How full a conversation is: ``tokens`` of the last prompt and its answer, ``limit`` of the model's window. Either is null where nobody knows it. */
  interface ContextShape {
    tokens: number | null;
    limit: number | null;
  }
  /** Bytes carried inline. */
  interface DataSource {
    type: "data";
    value: string;
    mimeType: string;
  }
  /** The message, which says what was decided; ``memory`` is what was saved by this. */
  interface DecideResult {
    message: MessageShape;
    memory: MemoryShape | null;
  }
  /** What was decided on a call, null where nothing was yet, and the turn that goes on with it. */
  interface DecidedData {
    approval_id: string;
    decision: "approved" | "refused" | null;
    run_id: string | null;
  }
  interface DecisionParams {
    approval_id: string;
    approve: boolean;
    note?: string;
    always?: boolean;
  }
  /** The metadata of TEXT_MESSAGE_CONTENT: the characters of the message before this delta. */
  interface DeltaMetadata {
    offset: number;
  }
  /** An OpenRPC document. */
  interface Description {
    openrpc: string;
    info: Record<string, unknown>;
    methods: Array<Record<string, unknown>>;
  }
  /** Instructions from the application developer. */
  interface DeveloperMessage {
    subagentRunId?: string | null;
    id: string;
    role: "developer";
    name?: string | null;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
    content: string;
  }
  /** A document part. */
  interface DocumentPart {
    type: "document";
    id?: string | null;
    source: DataSource | UrlSource | FileSource;
    metadata?: unknown;
  }
  /** The turn that answers, the new message, and the session, whose new branch is shown. */
  interface EditResult {
    run_id: string;
    message: MessageShape;
    session: SessionShape;
  }
  /** Nothing: it is done. */
  type EmptyResult = Record<string, never>;
  /** The metadata of RUN_FINISHED and RUN_ERROR: the turn's line in the ledger. */
  interface EndedMetadata {
    ledger: LedgerShape;
  }
  /** Why a turn has no answer, or one that broke off: RUN_ERROR's code, and its sentence for people. */
  interface ErrorShape {
    code: string;
    text: string;
  }
  /** One of the project's own facts, sent to all of the user's connections. ``session_id`` is null where it is about no session, but about the user's memory. ``cursor`` is its place among the user's facts: from 1, rising by one, without gaps. Its value is that of the moment it is sent, null where what it is about has been deleted since. */
  interface FactNotification {
    session_id: string | null;
    run_id: null;
    seq: null;
    event: SessionChanged | SessionDeleted | MessageCreated | MessageUpdated | BranchSelected | QueueChanged | TurnChanged | TranscriptChanged | MemoryUpdated | ApprovalChanged;
    cursor: number;
  }
  /** ``features``: those that the caller may use; others are for groups that they are not in. From here on the connection is told ``account.changed`` when they change, or the profiles that may be chosen. */
  interface FeaturesResult {
    features: Array<"files" | "api_tokens" | "sharing">;
  }
  /** A file of a user: its name, and what was found in its bytes. ``width`` and ``height`` are those of a picture, in pixels; ``pages`` those of a document (sheets, slides); ``text_characters`` are told to the model. ``notice`` says what of it is not. ``url`` has its bytes, and with ``?thumbnail`` a small picture. */
  interface FileShape {
    id: string;
    name: string;
    media_type: string;
    size: number;
    width?: number | null;
    height?: number | null;
    pages?: number | null;
    text_characters?: number | null;
    notice?: string | null;
    url: string;
  }
  /** Bytes already at the provider, named by a handle the provider issued: an OpenAI or Anthropic file id, a Gemini file URI, a storage URL only that provider can read. No bytes travel and nothing is fetched. Only the provider that minted the handle can resolve it; a peer that cannot drops the part as it drops any part it cannot use. */
  interface FileSource {
    type: "file";
    value: string;
    provider?: string | null;
    mimeType?: string | null;
  }
  /** How many bytes the files take, with what was made of them, and how many they may. */
  interface FilesUsed {
    bytes: number;
    quota: number;
  }
  /** The name and arguments of a tool call. */
  interface FunctionCall {
    name: string;
    arguments: string;
  }
  /** What the guard decided for a turn: was the agent reused, could its memory be trusted, why. */
  interface GuardShape {
    agent: "reused" | "built";
    transcript: "kept" | "read";
    reason: string;
  }
  /** A message in which the query was found; ``snippet`` is plain text around the first place. ``marks`` are the places in the snippet, each its start and end in characters. ``title`` is its session's. */
  interface HitShape {
    session_id: string;
    title: string;
    message_id: string;
    position: number;
    snippet: string;
    marks: Array<Array<number>>;
  }
  /** An image part. */
  interface ImagePart {
    type: "image";
    id?: string | null;
    source: DataSource | UrlSource | FileSource;
    metadata?: unknown;
  }
  /** Something a run needs from outside before it can continue, such as an approval or a missing value. */
  interface Interrupt {
    subagentRunId?: string | null;
    id: string;
    reason: string;
    message?: string | null;
    toolCallId?: string | null;
    responseSchema?: Record<string, unknown> | null;
    expiresAt?: string | null;
    metadata?: Record<string, unknown> | null;
  }
  /** What a session's counted turns have cost together, and whether its profile was changed since. */
  interface LedgerResult {
    fresh_tokens: number;
    cache_write_tokens: number;
    cached_tokens: number;
    output_tokens: number;
    reasoning_tokens: number;
    expected_tokens: number;
    turns: number;
    cost: number | null;
    saved: number | null;
    unpriced_turns: number;
    misses: Array<MissCountShape>;
    retentions: Array<RetentionCountShape>;
    profile: ProfileShape | null;
  }
  /** A turn's line in the ledger. ``miss`` says why tokens that were expected were not cached, or that it was the session's first turn. ``cost`` and ``saved`` are US dollars, null where no price is known; ``saved`` is against the same tokens without a cache. ``told_reason`` is what the provider itself says of a miss, null where it says nothing. ``retention`` is the choice of the turn's last request, null where its provider leaves none. */
  interface LedgerShape {
    fresh_tokens: number;
    cache_write_tokens: number;
    cached_tokens: number;
    output_tokens: number;
    reasoning_tokens: number;
    expected_tokens: number;
    provider: string;
    model: string;
    miss: MissShape | null;
    told_reason: string | null;
    cost: number | null;
    saved: number | null;
    guard: GuardShape | null;
    retention: RetentionShape | null;
  }
  /** What is allowed: characters, of all texts together; of a batch, requests. */
  interface LimitData {
    limit: number;
  }
  /** ``running``: the ids of those listed in which a turn runs; ``next_cursor``: null on the last page. ``cursor`` is that of the facts which the list reflects, for ``events.since``. */
  interface ListResult {
    sessions: Array<SessionShape>;
    running: Array<string>;
    next_cursor: string | null;
    cursor: number;
  }
  /** All that a user wants to be known, oldest first, and whether it is told to models at all. */
  interface MemoriesShape {
    enabled: boolean;
    memories: Array<MemoryShape>;
  }
  /** A user's memory has changed: whether it is told at all, and how many memories there are. */
  interface MemoryChangeShape {
    enabled: boolean;
    count: number;
  }
  /** The memory as it is kept. */
  interface MemoryResult {
    memory: MemoryShape;
  }
  /** One thing that a user wants to be known in all their chats. */
  interface MemoryShape {
    id: string;
    text: string;
    created_at: string;
  }
  /** The user's memory has changed: what is shown of it must be fetched again. */
  interface MemoryUpdated {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "memory.updated";
    value: MemoryChangeShape | null;
  }
  /** A user's message begins its turn, an answer was stored, or a step that called tools, with their results. */
  interface MessageCreated {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "message.created";
    value: MessageShape | null;
  }
  /** The message as it is now. */
  interface MessageResult {
    message: MessageShape;
  }
  /** One message of the conversation shown. ``position`` is null while the message is queued. ``alternatives`` are the ids of the other messages that stand in the same place, in other branches, oldest first; ``place`` is which of all of them this one is by age, from 1. ``kind`` is null of what was said, else what this message is instead: the ``summary`` that the model is sent in the place of what came before, or a ``note`` of the host to the model. ``model`` is who answered, ``rating`` what the user thinks of it. ``files`` are those that it was said with. ``tool_calls`` and ``tool_call_id`` tie an assistant's calls to the tool messages that answer them. The message that ended a turn has the turn's ``ledger``, where its provider has counted anything. ``reasoning`` is what the model let be seen of its thoughts. ``proposal`` is how a memory stands that a call of the tool ``remember`` has proposed, of that call's result. ``finish`` says why an answer is not whole although its provider ended it as it should, ``error`` why it broke off; of a turn without an answer, the user's message has the error. */
  interface MessageShape {
    id: string;
    position: number | null;
    role: "user" | "assistant" | "tool";
    text: string;
    status: "complete" | "stopped" | "interrupted" | "failed";
    created_at: string;
    alternatives: Array<string>;
    place?: number;
    kind?: "summary" | "note" | null;
    model?: string | null;
    rating?: 1 | -1 | null;
    proposal?: "open" | "saved" | "refused" | null;
    reasoning?: string | null;
    finish?: "length" | "content_filter" | "refusal" | "context" | "pause" | "budget" | null;
    error?: ErrorShape | null;
    files?: Array<FileShape> | null;
    tool_calls?: Array<ToolCallShape> | null;
    tool_call_id?: string | null;
    ledger?: LedgerShape | null;
  }
  /** Something else than the text of a message has changed: what its user thinks of it. */
  interface MessageUpdated {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "message.updated";
    value: MessageShape | null;
  }
  /** How many turns had a miss of one cause. */
  interface MissCountShape {
    cause: Cause;
    reason: string;
    turns: number;
  }
  /** Why the provider's cache had fewer tokens than expected; ``reason`` says the cause to a person. */
  interface MissShape {
    cause: Cause;
    reason: string;
  }
  /** The end of a session, the running turn (null where none runs), those that wait, and calls that wait for a person. ``cursor`` is that of the facts which all this reflects, for ``events.since``. */
  interface OpenResult {
    messages: Array<MessageShape>;
    has_more: boolean;
    session: SessionShape;
    run: RunShape | null;
    queued: Array<QueuedShape>;
    approvals: Array<ApprovalShape>;
    cursor: number;
  }
  /** The calendar period that a budget is for, in the site's time zone. A week begins on Monday. */
  type Per = "day" | "week" | "month";
  /** A session's profile; ``current`` where a session made of it now would begin with the same prompt and tools. */
  interface ProfileShape {
    name: string;
    current: boolean;
  }
  /** The profiles that the caller may choose. */
  interface ProfilesResult {
    profiles: Array<ChoiceShape>;
  }
  /** A turn was queued, or withdrawn before it began. */
  interface QueueChanged {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "turn.queued" | "turn.withdrawn";
    value: QueuedShape | null;
  }
  /** A turn that was asked for and has not begun; ``text`` is empty where its kind brings no message. Without ``kind`` it is one for a message. ``error``: why it was withdrawn, where its user has not done that. */
  interface QueuedShape {
    run_id: string;
    message_id: string;
    text: string;
    kind?: TurnKind;
    files?: Array<FileShape> | null;
    error?: ErrorShape | null;
  }
  /** What is used up, so that waiting does not help. */
  interface QuotaData {
    quota: "sessions" | "text" | "memories" | "memory_text" | "shares";
    used: number;
    limit: number;
  }
  /** Closes a span of reasoning. */
  interface ReasoningEndEvent {
    type: "REASONING_END";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
  }
  /** A span of the agent's reasoning, materialised as a message. Stands alone rather than composing BaseMessage, because it carries no name. */
  interface ReasoningMessage {
    subagentRunId?: string | null;
    id: string;
    role: "reasoning";
    content: string;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
  }
  /** Appends a fragment to a streamed reasoning message. */
  interface ReasoningMessageContentEvent {
    type: "REASONING_MESSAGE_CONTENT";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
    delta: string;
  }
  /** Closes a streamed reasoning message. */
  interface ReasoningMessageEndEvent {
    type: "REASONING_MESSAGE_END";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
  }
  /** Opens a streamed reasoning message. */
  interface ReasoningMessageStartEvent {
    type: "REASONING_MESSAGE_START";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
    role: "reasoning";
  }
  /** Opens a span of reasoning. A span may contain several reasoning messages. */
  interface ReasoningStartEvent {
    type: "REASONING_START";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
  }
  /** The turn that answers, and the session, whose new branch is shown. */
  interface RegenerateResult {
    run_id: string;
    session: SessionShape;
  }
  /** ``html``: each of the texts, in their order, safe to show. */
  interface RenderResult {
    html: Array<string>;
  }
  /** An answer to one interrupt, sent on the run that continues from it. */
  interface ResumeEntry {
    interruptId: string;
    status: "resolved" | "cancelled";
    payload?: unknown;
    metadata?: Record<string, unknown> | null;
  }
  /** The turn that goes on with what was decided. */
  interface ResumeResult {
    run_id: string;
  }
  /** How many turns ended with the conversation to be kept for so many seconds. */
  interface RetentionCountShape {
    seconds: number;
    turns: number;
  }
  /** For how many seconds the provider was to keep the conversation (0: not at all); ``reason`` says why. */
  interface RetentionShape {
    seconds: number;
    reason: string;
  }
  /** A request to run an agent. Also echoed back as RUN_STARTED.input. Only threadId, runId and messages are required: those are the three the SDKs already agree on, and for tools and context an absent key and an empty array mean the same thing, so requiring them would catch nothing a producer could get wrong. */
  interface RunAgentInput {
    threadId: string;
    runId: string;
    protocolVersion?: string | null;
    parentRunId?: string | null;
    state?: unknown;
    messages: Array<DeveloperMessage | SystemMessage | AssistantMessage | UserMessage | ToolMessage | ActivityMessage | ReasoningMessage>;
    tools?: Array<Tool> | null;
    context?: Array<Context> | null;
    forwardedProps?: unknown;
    resume?: Array<ResumeEntry> | null;
  }
  /** The run was stopped before it completed, by whoever was running it, and did not fail. Neither success nor interrupt: nothing was produced as a result, and nothing is waited for, so the next run on the thread is an ordinary new run rather than a resume. Closed like its siblings: a cancelled run has no interrupts to carry. Named in the schema before 1.0 because an outcome a consumer does not recognise is stripped and read as success — a cancellation added later would reach every 1.0 consumer as a completed run. */
  interface RunFinishedCancelledOutcome {
    type: "cancelled";
  }
  /** The run is paused, waiting for something outside it. Resuming means starting a new run whose resume entries answer these interrupts. */
  interface RunFinishedInterruptOutcome {
    type: "interrupt";
    interrupts: Array<Interrupt>;
  }
  /** The run completed. Equivalent to an absent outcome. Closed like every other object, which is also what keeps it from carrying the suspended sibling's interrupts — a success with an interrupt still pending would be a contradiction, not an extension. A completed run may still have left frontend tool calls for the application to answer; pendingToolCallIds names them. */
  interface RunFinishedSuccessOutcome {
    type: "success";
    pendingToolCallIds?: Array<string> | null;
  }
  /** One event of a run; ``seq`` is null for the end of a run whose owner died. */
  interface RunNotification {
    session_id: string;
    run_id: string;
    seq: number | null;
    event: TurnStarted | TextMessageStartEvent | TextDelta | TextMessageEndEvent | ToolCallStartEvent | ToolCallArgsEvent | ToolCallEndEvent | ToolProgress | ToolResult | ReasoningStartEvent | ReasoningMessageStartEvent | ReasoningMessageContentEvent | ReasoningMessageEndEvent | ReasoningEndEvent | WorkBegan | WorkEnded | TurnFinished | TurnFailed;
  }
  /** The running turn: ``text`` and ``calls`` with the run events after ``seq`` are the whole answer. The calls of a run in another process are not told. */
  interface RunShape {
    run_id: string;
    message_id: string;
    text: string;
    seq: number;
    calls?: Array<RunningCallShape>;
  }
  /** A tool call under way: what the tool is given so far, and how far it is where it has said so. */
  interface RunningCallShape {
    id: string;
    name: string;
    arguments: string;
    progress?: CallProgress | null;
  }
  /** The messages found, the best first. */
  interface SearchResult {
    hits: Array<HitShape>;
  }
  /** The session and its last messages, as they are shown now. */
  interface SelectResult {
    messages: Array<MessageShape>;
    has_more: boolean;
    session: SessionShape;
  }
  /** A session was created, or its title, flags, activity or messages changed. */
  interface SessionChanged {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "session.created" | "session.updated";
    value: SessionShape | null;
  }
  /** A session is gone; the value is its id. */
  interface SessionDeleted {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "session.deleted";
    value: string;
  }
  /** The session as it is now. */
  interface SessionResult {
    session: SessionShape;
  }
  /** One conversation, without its messages; ``profile`` is the id of what answers in it, null if it was removed. ``memory``: whether the user's memory is told here, where there is one. */
  interface SessionShape {
    id: string;
    title: string;
    message_count: number;
    revision: number;
    created_at: string;
    updated_at: string;
    archived: boolean;
    pinned: boolean;
    memory: boolean;
    profile: number | null;
    context: ContextShape;
  }
  /** How many sessions there are, and how many may be. */
  interface SessionsUsed {
    count: number;
    quota: number;
  }
  /** The link as it is kept. */
  interface ShareResult {
    share: ShareShape;
  }
  /** A link to a chat up to and with the message ``until``. ``url`` is its address on this site. ``url`` is null where the site's SECRET_KEY was replaced since: the link works, and nobody can be told it again. ``audience`` is whom it is for; ``expires_at`` when it ends, null for never. */
  interface ShareShape {
    id: string;
    url: string | null;
    created_at: string;
    until: string;
    audience: Audience;
    expires_at: string | null;
  }
  /** The links to a chat, oldest first; and whom the site lets chats be shared with, the narrowest first. */
  interface SharesResult {
    shares: Array<ShareShape>;
    audiences: Array<Audience>;
  }
  /** The facts, in order, and the ``cursor`` to go on from; ``has_more``: there are more. ``reset``: what was asked for is no longer kept, or beyond the newest, so everything must be fetched again. */
  interface SinceResult {
    events: Array<FactNotification>;
    cursor: number;
    has_more: boolean;
    reset: boolean;
  }
  /** The turn and the caller's message; ``queued``: it runs after the turns before it. */
  interface StartResult {
    run_id: string;
    message: MessageShape;
    queued: boolean;
  }
  /** The metadata of RUN_STARTED. */
  interface StartedMetadata {
    guard: GuardShape;
  }
  /** ``stopped`` is false where the turn had ended before, or none ran. */
  interface StopResult {
    stopped: boolean;
  }
  /** Instructions from the system. */
  interface SystemMessage {
    subagentRunId?: string | null;
    id: string;
    role: "system";
    name?: string | null;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
    content: string;
  }
  /** AG-UI's TEXT_MESSAGE_CONTENT, with its place in the text. */
  interface TextDelta {
    type: "TEXT_MESSAGE_CONTENT";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata: DeltaMetadata;
    subagentRunId?: string | null;
    messageId: string;
    delta: string;
  }
  /** Closes a streamed text message. */
  interface TextMessageEndEvent {
    type: "TEXT_MESSAGE_END";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
  }
  /** Opens a streamed text message. The content arrives as TEXT_MESSAGE_CONTENT events and the message closes with TEXT_MESSAGE_END. */
  interface TextMessageStartEvent {
    type: "TEXT_MESSAGE_START";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
    role?: "developer" | "system" | "assistant" | "user" | null;
    name?: string | null;
  }
  /** A text part. */
  interface TextPart {
    type: "text";
    id?: string | null;
    text: string;
    metadata?: unknown;
  }
  /** How many characters the sessions hold, and how many they may. */
  interface TextUsed {
    characters: number;
    quota: number;
  }
  /** Token counts for one provider and model, in the protocol's own accounting: every count is either a total or a named part of one, so entries from different providers add up without double-counting. inputTokens and outputTokens are the totals; reasoningTokens, cachedInputTokens and cacheWriteInputTokens are parts of them, never additions to them; totalTokens is the two totals summed. Every field is a label or a number — nothing content-bearing or identifying, no prompts, completions, messages, or thread, run and user identifiers. */
  interface TokenUsage {
    provider?: string | null;
    model?: string | null;
    inputTokens?: number | null;
    outputTokens?: number | null;
    totalTokens?: number | null;
    reasoningTokens?: number | null;
    cachedInputTokens?: number | null;
    cacheWriteInputTokens?: number | null;
  }
  /** A tool the agent may call. */
  interface Tool {
    name: string;
    description: string;
    parameters?: unknown;
    metadata?: Record<string, unknown> | null;
  }
  /** A call an assistant message made. Carries no subagent attribution of its own and inherits its containing message's, since several calls can share one parent. */
  interface ToolCall {
    id: string;
    type: "function";
    function: FunctionCall;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
  }
  /** Appends a fragment of a tool call's arguments. */
  interface ToolCallArgsEvent {
    type: "TOOL_CALL_ARGS";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    toolCallId: string;
    delta: string;
  }
  /** Closes a tool call, meaning its arguments are complete. */
  interface ToolCallEndEvent {
    type: "TOOL_CALL_END";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    toolCallId: string;
  }
  /** A call that an assistant's message made; ``arguments`` is the model's own JSON text. ``client``: the tool is one that a program has brought and runs itself. ``waits``: its result is still to come from there, unless something else was said by now. ``approval`` says how a call stands that a person was asked about, ``note`` what they said with it; ``always``: later calls of the tool in this session were approved as well. */
  interface ToolCallShape {
    id: string;
    name: string;
    arguments: string;
    client?: boolean;
    waits?: boolean;
    approval?: "waiting" | "approved" | "refused" | null;
    note?: string | null;
    always?: boolean;
  }
  /** Opens a tool call. The arguments arrive as TOOL_CALL_ARGS events and the call closes with TOOL_CALL_END. */
  interface ToolCallStartEvent {
    type: "TOOL_CALL_START";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    toolCallId: string;
    toolCallName: string;
    parentMessageId?: string | null;
  }
  /** What a tool returned, as a message in the conversation. Stands alone rather than composing BaseMessage, because it carries no name. */
  interface ToolMessage {
    subagentRunId?: string | null;
    id: string;
    role: "tool";
    content: string | Array<TextPart | ImagePart | AudioPart | VideoPart | DocumentPart>;
    toolCallId: string;
    error?: string | null;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
  }
  /** A tool is at work, and says how far it is: at most four times a second, and kept nowhere. */
  interface ToolProgress {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "tool.progress";
    value: CallProgress;
  }
  /** AG-UI's TOOL_CALL_RESULT: what a tool answered is text. */
  interface ToolResult {
    type: "TOOL_CALL_RESULT";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    messageId: string;
    toolCallId: string;
    content: string;
    role?: "tool" | null;
  }
  /** Another program has changed what a session holds: what is shown of it must be fetched again. */
  interface TranscriptChanged {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "transcript.changed";
    value: TranscriptShape | null;
  }
  /** Another program has changed what a session holds; ``revision`` is the present one. */
  interface TranscriptShape {
    session_id: string;
    revision: number;
  }
  /** A turn began, or ended: then its answer, where there is one, was told before. */
  interface TurnChanged {
    type: "CUSTOM";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    name: "turn.began" | "turn.ended";
    value: TurnShape | null;
  }
  /** AG-UI's RUN_ERROR, with the same metadata. */
  interface TurnFailed {
    type: "RUN_ERROR";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: EndedMetadata | null;
    message: string;
    code?: string | null;
    usage?: Array<TokenUsage> | null;
  }
  /** AG-UI's RUN_FINISHED; without metadata where the provider has counted nothing. */
  interface TurnFinished {
    type: "RUN_FINISHED";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: EndedMetadata | null;
    threadId: string;
    runId: string;
    result?: unknown;
    outcome?: RunFinishedSuccessOutcome | RunFinishedInterruptOutcome | RunFinishedCancelledOutcome | null;
    usage?: Array<TokenUsage> | null;
  }
  /** What a turn begins with: a message at the end of the line, one in the place of another, or none of its own. A ``resumption`` goes on with an answer whose calls have waited for results from outside: it begins with these, and its ``message_id`` is that of the user's message which is still being answered. A ``compaction`` brings no answer but a summary of the line, and answers no message: its ``message_id`` is nobody's. A ``title`` and a ``refresh`` are no turns of the conversation: they are the request that made the session's title, and one that has kept its prompt warm, for the ledger alone, and are stored when they have ended. */
  type TurnKind = "message" | "edit" | "regeneration" | "resumption" | "compaction" | "title" | "refresh";
  /** How a turn stands; ``message_id`` is the id that its answer has, or would have. Without ``kind`` it is one for a message. */
  interface TurnShape {
    session_id: string;
    run_id: string;
    status: TurnStatus;
    message_id: string;
    error: ErrorShape | null;
    kind?: TurnKind;
  }
  /** AG-UI's RUN_STARTED; without metadata where the turn ended before the guard was asked. */
  interface TurnStarted {
    type: "RUN_STARTED";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: StartedMetadata | null;
    threadId: string;
    runId: string;
    protocolVersion?: string | null;
    parentRunId?: string | null;
    input?: RunAgentInput | null;
  }
  /** Where a turn stands; ``queued`` and ``running`` are alive, the others final. */
  type TurnStatus = "queued" | "running" | "complete" | "stopped" | "failed" | "interrupted" | "withdrawn";
  /** Bytes referenced by URL, fetched by whoever needs them. */
  interface UrlSource {
    type: "url";
    value: string;
    mimeType?: string | null;
  }
  /** What the caller stores, each kind with its quota, and what is spent of the ``budgets`` that bind them. */
  interface UsageResult {
    sessions: SessionsUsed;
    text: TextUsed;
    files: FilesUsed;
    budgets: Array<BudgetShape>;
  }
  /** A message from the person using the application. */
  interface UserMessage {
    subagentRunId?: string | null;
    id: string;
    role: "user";
    name?: string | null;
    encryptedValue?: string | null;
    metadata?: Record<string, unknown> | null;
    content: string | Array<TextPart | ImagePart | AudioPart | VideoPart | DocumentPart>;
  }
  /** A video part. */
  interface VideoPart {
    type: "video";
    id?: string | null;
    source: DataSource | UrlSource | FileSource;
    metadata?: unknown;
  }
  /** In how many seconds to try again. */
  interface WaitData {
    retry_after: number;
  }
  /** ``has_more``: there are older messages, ``has_newer``: there are newer ones. */
  interface WindowResult {
    messages: Array<MessageShape>;
    has_more: boolean;
    has_newer: boolean;
  }
  /** AG-UI's STEP_STARTED: the host makes a summary of the chat, before an answer or in the place of one. */
  interface WorkBegan {
    type: "STEP_STARTED";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    stepName: "compaction";
  }
  /** AG-UI's STEP_FINISHED, whatever came of it. */
  interface WorkEnded {
    type: "STEP_FINISHED";
    timestamp?: number | null;
    rawEvent?: unknown;
    metadata?: Record<string, unknown> | null;
    subagentRunId?: string | null;
    stepName: "compaction";
  }
}
