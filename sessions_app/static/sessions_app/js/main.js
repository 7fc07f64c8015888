// Wires the page: one socket, one list of chats, one open conversation. The address says which, and at which message:
// /?chat=<id>&at=<message id>; what was looked for there is the history's.

import { toast } from "./announce.js";
import { follow } from "./appearance.js";
import { AttachmentStrip } from "./attachment_strip.js";
import { Attachments } from "./attachments.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection.js";
import { Conversation } from "./conversation.js";
import { $, inside, within } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Features } from "./features.js";
import { leaveKeysToInputMethods } from "./ime.js";
import { Journal } from "./journal.js";
import { fetchAll, fetchPart, provide, using } from "./later.js";
import { laterParts } from "./later_parts.js";
import { Markdown } from "./markdown.js";
import { Marks } from "./marks.js";
import { Outbox } from "./outbox.js";
import { PageCommands } from "./page_commands.js";
import { Picker } from "./picker.js";
import { Preferences } from "./preferences.js";
import { watchPresses, whenReleased } from "./press.js";
import { Profiles } from "./profiles.js";
import { Scroll } from "./scroll.js";
import { Sending } from "./sending.js";
import { titleOf } from "./session_groups.js";
import { Sessions } from "./sessions.js";
import { Sidebar } from "./sidebar.js";
import { Refused, Socket } from "./socket.js";
import { Steering } from "./steering.js";
import { Storage } from "./storage.js";
import { Thread } from "./thread.js";
import { Upload } from "./upload.js";
import { explainError, explainSteering, GONE, WRITING_REFUSES } from "./words.js";

/** @type {{ maxText: number, maxFile: number, login: string, user: string, sendsMail: boolean, features: Api.FeaturesResult["features"] }} */
const config = JSON.parse($("config").textContent);
// The site may be under a prefix: all addresses are relative to this page's. http becomes ws, and https wss.
provide(laterParts);
const socket = new Socket(new URL("ws/chat/", location.href).href.replace(/^http/, "ws"));
const storage = new Storage(config.user);
await storage.takeOverUnsent();
const outbox = new Outbox(socket, storage);
const journal = new Journal(socket);
const sessions = new Sessions(socket, journal);
const profiles = new Profiles(socket);
const features = new Features(socket, config.features);
const picker = new Picker({ profiles, sessions });
const preferences = new Preferences(storage);
const drawer = new Drawer(storage);
const marks = new Marks({ sessions, journal, storage });
const scroll = new Scroll();
const markdown = new Markdown(socket, config.maxText, (change) => whenReleased(() => scroll.still(change)));
const { maxText } = config;
/** @type {Page.Actions} */
const actions = {
  send: (text) => sending.send(text),
  reclaim: (entry) => sending.reclaim(entry),
  startOver: (text) => sending.startOver(text),
  edit: (message) => thread.edit(message.id),
  regenerate: (answerId) => void steering.regenerate(answerId),
  again: (answerId, button) => {
    const regenerate = (/** @type {number | undefined} */ profile = undefined) =>
      void steering.regenerate(answerId, profile);
    if (profiles.list.length > 1) void using("pickerMenu", ({ openAgain }) => openAgain(picker, button, regenerate));
    else regenerate();
  },
  select: (versions, id, button) => void steering.select(versions, id, button),
  rate: (message, rating) => void steering.rate(message, rating),
  decide: (message, save) => void steering.decide(message, save),
  fork: (message) => void steering.fork(message),
  stop: () => void sending.stop(),
  focus: () => steering.focus(),
  summarise: () => summaries((compaction) => compaction.summarise()),
  useAll: () => summaries((compaction) => compaction.useAll()),
  withdraw: (entry) => void sending.withdraw(entry),
};
const thread = new Thread({ markdown, outbox, socket, scroll, maxText, actions });
const token = within(document, "#logout [name=csrfmiddlewaretoken]", HTMLInputElement).value;
const attachments = new Attachments({
  maxFile: config.maxFile,
  send: (file, told) => new Upload("api/files/", token, file, told),
  profile: () => profiles.of(sessions.get(thread.conversation?.id ?? null)),
  allowed: () => features.has("files"),
});
profiles.on("change", () => attachments.tell("change"));
features.on("change", () => attachments.tell("change"));
sessions.on("change", () => attachments.tell("change"));
const composer = new Composer({
  maxText,
  storage,
  attachments,
  actions: {
    send: (text, files) => sending.send(text, files),
    stop: () => sending.stop(),
    editLast: () => steering.editLast(),
  },
});
new AttachmentStrip(attachments, () => composer.session);
const shared = { thread, composer, outbox, scroll, sessions, socket, storage, profiles, go };
const steering = new Steering(shared);
const sending = new Sending({ ...shared, steering });
const menu = { sessions, socket, profiles, features, compaction: { thread, socket, focus: () => steering.focus() } };
const sidebar = new Sidebar({ sessions, socket, marks, menu });
const connectionLine = new ConnectionLine(socket);
/** @type {Conversation | null} */
let conversation = null;

/** @type {ReturnType<typeof import("./background.js").startBackground> | undefined} */
let gauge;

thread.on("rewritten", (edit) => summaries((compaction) => compaction.rewrite(edit)));
new PageCommands({
  palette: {
    find: { socket, sessions, go },
    picker,
    preferences,
    menu,
    conversation: () => conversation,
    fork: actions.fork,
  },
  drawer,
  settings: { preferences, socket, journal, sendsMail: config.sendsMail },
  newChat,
});
leaveKeysToInputMethods();
watchPresses();

/** Opens the chat that the address names. */
async function route() {
  const address = new URLSearchParams(location.search);
  const id = address.get("chat");
  if (id !== (conversation?.id ?? null) || !thread.conversation) open(id);
  if (conversation && address.has("at")) {
    await conversation.whenLoaded();
    await thread
      .goTo(address.get("at") ?? "", history.state?.query ?? "")
      .catch((error) => toast(explainSteering(error)));
  }
}

/** @param {string | null} id */
function open(id) {
  conversation?.close();
  conversation = id ? new Conversation({ socket, journal, markdown, id }) : null;
  conversation?.on("change", showTurns);
  conversation?.on("run", showTurns);
  conversation?.on("session", (session) => sessions.put(session));
  conversation?.on("gone", leave);
  conversation?.on("failed", (error) => toast(`${explainError(error)} The chat is as it was before.`));
  conversation?.on("refused", (entry) => sending.takeBack(entry));
  connectionLine.watch(conversation?.trying ?? null, couldNotFetch);
  thread.open(conversation);
  composer.open(id);
  steering.forget();
  if (conversation) steering.resume(conversation);
  sending.awaitAnswer();
  sidebar.mark(id);
  marks.show(id);
  picker.show(id);
  showTitle();
  showGauge();
  if (socket.state === "open") conversation?.refresh();
}

function couldNotFetch() {
  return conversation?.loaded ? "This chat could not be brought up to date." : "This chat could not be loaded.";
}

/**
 * @param {string} address
 * @param {string} [query] what was looked for there
 */
function go(address, query) {
  history.pushState(query ? { query } : null, "", address);
  void route();
}

function newChat() {
  drawer.close();
  go("./");
  composer.focus();
}

/** @param {(compaction: import("./compaction.js").Compaction) => Promise<unknown>} act */
function summaries(act) {
  void using("compaction", ({ Compaction }) => void act(new Compaction(menu.compaction)));
}

/** What nobody waits for begins when the page has come to rest; where it cannot be fetched, with a later connection. */
async function beginTheRest() {
  fetchAll();
  const { startBackground } = await fetchPart("background");
  gauge ??= startBackground({
    socket,
    journal,
    preferences,
    title: (session) => titleOf(sessions.get(session)),
    go: (session) => go(`?chat=${session}`),
    summarise: actions.summarise,
  });
  showGauge();
}

/**
 * The open chat is no longer there: deleted here or elsewhere, or never this user's. What was written stays.
 * @param {Refused | null} error
 */
function leave(error) {
  if (!conversation) return;
  const { id } = conversation;
  const unsent = outbox.of(id);
  const texts = [...unsent.map((entry) => entry.text), thread.editing.changes, composer.text].filter(Boolean);
  const here = sessions.deleted.has(id);
  for (const entry of unsent) outbox.drop(entry);
  storage.keepDraft(id, null);
  steering.dropEdit(id);
  history.replaceState(null, "", "./");
  route();
  if (here) return;
  toast(error ? GONE : "This chat was deleted in another window.");
  if (texts.length) composer.edit(texts.join("\n\n"));
}

function showTitle() {
  const title = conversation ? titleOf(sessions.get(conversation.id)) : "New chat";
  $("title").textContent = title;
  document.title = `${marks.prefix}${title} · Hermes Site`;
}

function showTurns() {
  composer.showRun(Boolean(conversation?.run));
  if (conversation?.loaded) marks.ask(conversation.id, conversation.approvals.length > 0);
  const waits = conversation?.approvals.length ? WRITING_REFUSES : "";
  $("awaits").textContent = waits; // it describes the box, hidden or not
  $("awaits").hidden = !waits;
  showGauge();
}

function showGauge() {
  const isBusy = Boolean(conversation?.run || conversation?.queued.length);
  gauge?.show(sessions.get(conversation?.id ?? null), isBusy);
}

journal.on("reset", () => sessions.reload());
journal.on("current", () => {
  sessions.resume();
  conversation?.reopen();
  (globalThis.requestIdleCallback ?? setTimeout)(() => beginTheRest().catch(() => {}));
});
socket.on("denied", () => {
  storage.seal();
  location.assign(`${config.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
});
sessions.on("change", showTitle);
sessions.on("change", showGauge);
marks.on("change", showTitle);
addEventListener("popstate", route);
document.addEventListener("click", (event) => {
  const link = inside(event, "a[data-go], a[data-new]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  drawer.close();
  go(link.getAttribute("href") ?? "./");
  if (composer.touch) $("title").focus();
  else composer.focus();
});
$("logout").addEventListener("submit", () => storage.clear());

const early = composer.text; // written before this script ran
sending.giveBack();
route();
composer.addEarly(early);
follow(preferences, composer);
composer.focus();
socket.connect();
