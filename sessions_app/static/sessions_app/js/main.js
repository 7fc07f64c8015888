// Wires the page: one socket, one list of chats, one open conversation. The address says which, and at which message:
// /?chat=<id>&at=<message id>; what was looked for there is the history's.

import { announce, toast } from "./announce.js";
import { follow, themeCommands } from "./appearance.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection.js";
import { Conversation } from "./conversation.js";
import { $, inside } from "./dom.js";
import { Drawer } from "./drawer.js";
import { clearFound } from "./found.js";
import { leaveKeysToInputMethods } from "./ime.js";
import { Journal } from "./journal.js";
import { Markdown } from "./markdown.js";
import { Marks } from "./marks.js";
import { Notifications } from "./notifications.js";
import { Outbox } from "./outbox.js";
import { Palette } from "./palette.js";
import { Picker } from "./picker.js";
import { Preferences } from "./preferences.js";
import { NOT_OFFERED, Profiles } from "./profiles.js";
import { QuotaLine } from "./quota.js";
import { Scroll } from "./scroll.js";
import { sendKeys } from "./send_key.js";
import { titleOf } from "./session_groups.js";
import { Sessions } from "./sessions.js";
import { openSettings } from "./settings.js";
import { openShortcutList } from "./shortcut_list.js";
import { listenForShortcuts } from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import { Refused, Socket } from "./socket.js";
import { Steering } from "./steering.js";
import { Storage } from "./storage.js";
import { Thread } from "./thread.js";
import { explain, explainError, explainSteering, GONE } from "./words.js";

/** @type {{ maxText: number, login: string, user: string, isStaff: boolean, sendsMail: boolean }} */
const config = JSON.parse($("config").textContent);
const socket = new Socket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/`);
const storage = new Storage(config.user);
await storage.takeOverUnsent();
const outbox = new Outbox(socket, storage);
const journal = new Journal(socket);
const sessions = new Sessions(socket, journal);
const profiles = new Profiles(socket);
const picker = new Picker({ profiles, sessions, isStaff: config.isStaff });
const preferences = new Preferences(storage);
const drawer = new Drawer(storage);
const marks = new Marks({ sessions, journal, storage });
const sidebar = new Sidebar({ sessions, socket, marks });
const scroll = new Scroll();
const markdown = new Markdown(socket, config.maxText, (change) => scroll.still(change));
const { maxText } = config;
/** @type {Page.Actions} */
const actions = {
  send,
  reclaim,
  startOver,
  edit: (message) => thread.edit(message.id),
  regenerate: (answerId) => void steering.regenerate(answerId),
  again: (answerId, button) => {
    const regenerate = (/** @type {number | undefined} */ profile = undefined) =>
      void steering.regenerate(answerId, profile);
    if (profiles.list.length > 1) picker.openAgain(button, regenerate);
    else regenerate();
  },
  select: (versions, id, button) => void steering.select(versions, id, button),
  rate: (message, rating) => void steering.rate(message, rating),
  fork: (message) => void steering.fork(message),
  withdraw: (entry) => void withdraw(entry),
};
const thread = new Thread({ markdown, outbox, socket, scroll, maxText, actions });
const editLast = () => steering.editLast();
const composer = new Composer({ maxText, storage, actions: { send, stop, editLast } });
const steering = new Steering({ thread, composer, outbox, scroll, sessions, socket, storage, profiles, go });
const connectionLine = new ConnectionLine(socket);
/** @type {Conversation | null} */
let conversation = null;
let beginning = false;

new QuotaLine(socket, journal);
new Notifications({
  journal,
  preferences,
  title: (session) => titleOf(sessions.get(session)),
  go: (session) => go(`/?chat=${session}`),
});
const palette = new Palette({ socket, sessions, current: () => conversation?.id ?? null, commands, go });
leaveKeysToInputMethods();

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
  connectionLine.watch(conversation?.trying ?? null, couldNotFetch);
  thread.open(conversation);
  composer.open(id);
  steering.forget();
  if (conversation) steering.resume(conversation);
  awaitAnswer();
  sidebar.mark(id);
  marks.show(id);
  picker.show(id);
  clearFound();
  showTitle();
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
  go("/");
  composer.focus();
}

/** @returns {import("./commands.js").Command[]} */
function commands() {
  const switching = { name: "Switch model …", words: "profile", icon: "model", act: askForModel };
  return [
    { name: "New chat", icon: "plus", act: newChat, keys: "Mod+Shift+O" },
    ...(picker.isChoice ? [switching] : []),
    ...themeCommands(preferences),
    {
      name: "Settings",
      words: "preferences account",
      icon: "settings",
      act: () => openSettings(preferences, config.sendsMail),
    },
    { name: "Shortcuts", words: "keyboard keys help", icon: "keyboard", act: showShortcuts, keys: "Mod+/" },
  ];
}

function askForModel() {
  palette.ask("Which model?", picker.commands());
}

function showShortcuts() {
  openShortcutList(...sendKeys());
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
  history.replaceState(null, "", "/");
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
}

/** @param {string} text */
function send(text) {
  if (conversation?.hasNewer) void thread.toLatest();
  scroll.atEnd = true;
  steering.forget();
  outbox.send(conversation?.id ?? null, text, { revision: conversation?.revision });
  composer.sent(text);
  composer.focus();
  if (conversation) awaitAnswer();
  else begin();
}

/** The end of the answer to what is on its way is said, even where all of it comes with the chat. */
function awaitAnswer() {
  if (conversation) conversation.awaited = outbox.of(conversation.id).at(-1)?.message_id ?? conversation.awaited;
}

/** Makes the chat for what was said on the page of a new one. */
async function begin() {
  if (beginning) return;
  beginning = true;
  const profile = profiles.get(profiles.chosen)?.id;
  try {
    await socket.ready();
    const { session } = await socket.call("session.create", profile ? { profile } : {});
    sessions.put(session);
    profiles.choose(null);
    outbox.adopt(session.id);
    if (!conversation) settle(session.id);
  } catch (error) {
    giveBack();
    toast((await profiles.isRefused(error, profile)) ? NOT_OFFERED : explain(error));
  } finally {
    beginning = false;
  }
}

/**
 * Goes over from the page of a new chat to the chat, with what is being written.
 * @param {string} id
 */
function settle(id) {
  storage.keepDraft(id, composer.text);
  storage.keepDraft(null, null);
  go(`/?chat=${id}`);
}

/** What found no chat becomes a draft again: after a failure, and after a reload in between. */
function giveBack() {
  const entries = outbox.of(null);
  for (const entry of entries) outbox.drop(entry);
  const texts = [...entries.map((entry) => entry.text), storage.draft(null)].filter(Boolean);
  storage.keepDraft(null, texts.join("\n\n"));
  if (!conversation) composer.open(null);
}

/**
 * Takes back what is on its way, to be changed where it was written.
 * @param {Page.Entry} entry
 */
function reclaim(entry) {
  outbox.drop(entry);
  if (!entry.edits || !thread.edit(entry.edits, entry.text)) composer.edit(entry.text);
}

/**
 * Goes to the page of a new chat with a text that this one has no room for.
 * @param {string} text
 */
function startOver(text) {
  go("/");
  composer.edit(text);
}

async function stop() {
  try {
    await conversation?.stop();
  } catch (error) {
    toast(explain(error));
  }
}

/** @param {Api.QueuedShape} entry */
async function withdraw(entry) {
  const opened = conversation; // another one may be open when the answer comes
  try {
    const answer = await opened?.stop(entry.run_id);
    if (!answer?.stopped) return;
    opened?.unqueue(entry.run_id);
    composer.edit(entry.text);
    announce("Withdrawn. The text is in the message box again.");
  } catch (error) {
    toast(explain(error));
  }
}

journal.on("reset", () => sessions.reload());
journal.on("current", () => {
  sessions.resume();
  conversation?.reopen();
});
socket.on("denied", () => {
  storage.seal();
  location.assign(`${config.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
});
sessions.on("change", showTitle);
marks.on("change", showTitle);
outbox.on("edited", ({ entry, result }) => {
  if (entry.session_id === conversation?.id) conversation?.edited(result);
});
outbox.on("started", ({ entry, result }) => {
  if (!conversation || entry.session_id !== conversation.id) return;
  const { message, run_id, queued } = result;
  if (queued) conversation.queue({ run_id, message_id: message.id, text: message.text });
  else if (message.position !== null) conversation.add(message);
});
addEventListener("popstate", route);
document.addEventListener("click", (event) => {
  const link = inside(event, "a[data-go], a[data-new]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  drawer.close();
  go(link.getAttribute("href") ?? "/");
  if (composer.touch) $("title").focus();
  else composer.focus();
});
$("logout").addEventListener("submit", () => storage.clear());

$("search-open").addEventListener("click", () => {
  drawer.close();
  palette.toggle();
});
$("settings-open").addEventListener("click", () => {
  $("account-menu").hidePopover();
  openSettings(preferences, config.sendsMail);
});
$("shortcuts-open").addEventListener("click", () => {
  $("account-menu").hidePopover();
  showShortcuts();
});
listenForShortcuts(
  [
    { keys: ["Mod+K"], act: () => palette.toggle(), closes: "#palette" },
    { keys: ["Mod+Shift+O"], act: newChat },
    { keys: ["Mod+/", "?"], act: showShortcuts },
    { keys: ["Mod+B", "["], act: () => drawer.toggle() },
    { keys: ["/"], act: () => $("text").focus() },
  ],
  $("text"),
);

const early = composer.text; // written before this script ran
giveBack();
route();
composer.addEarly(early);
follow(preferences, composer);
composer.focus();
socket.connect();
