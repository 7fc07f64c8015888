// What the modules of the page hand to each other, besides the API's own types.

declare namespace Page {
  type Message = Api.MessageShape;
  type Finish = Message["finish"];
  type RunEvent = Api.RunNotification["event"];

  /** An event that tells of something, which is there. */
  type Present<Event> = Event extends { value: unknown } ? Event & { value: NonNullable<Event["value"]> } : never;

  /** What happened, as the journal tells it: what it is about is there, or is gone by this very fact. */
  type Fact = Present<Api.FactNotification["event"]>;
  type FactNotice = Omit<Api.FactNotification, "event"> & { event: Fact };
  type Notice = FactNotice | Api.RunNotification;

  /** Why a turn has no answer, or only half of one. Without `text` the server says nothing of it. */
  interface TurnError {
    code: string;
    text?: string;
  }

  /** A piece of a running answer, in its order. */
  interface Part {
    kind: "text" | "reasoning" | "tool";
    /** Of its message, or of its tool call. */
    id: string;
    /** What is said or thought, or what the tool is given. */
    text: string;
    /** Of the text, in characters as the server counts them. */
    length: number;
    done: boolean;
    /** Of a tool. */
    name?: string;
    /** Of a tool. */
    result?: string;
    /** Of a tool: what it has brought beside its result. */
    files?: Api.FileShape[] | null | undefined;
    /** Of a tool: what a person has said of the call, or is still to say. */
    approval?: "waiting" | "approved" | "refused" | null | undefined;
    /** What they said with it. */
    note?: string | null | undefined;
    /** Whether later calls of the tool in this chat were approved as well. */
    always?: boolean | undefined;
    /** Of a tool that is at work. */
    progress?: Progress | undefined;
    /** Of a tool that a program has brought, and given no result of: whether it is still waited for. */
    left?: "waits" | "unanswered";
    /** How long was thought, where this page has seen it begin and end. */
    seconds?: number;
  }

  /** How far a call is. */
  type Progress = Omit<Api.CallProgress, "toolCallId">;

  /** Reasoning or a tool, with a key that it keeps when its answer is stored. */
  type Step = Part & { key: string };

  /** A piece of an answer as it is shown: a text, or the steps between two texts. */
  type Block = { key: string; text: Part; steps?: undefined } | { key: string; steps: Step[]; text?: undefined };

  /** A message on its way to the server. */
  interface Entry {
    message_id: string;
    /** Null: for a chat that is still to be made. */
    session_id: string | null;
    text: string;
    /** When it was written, in milliseconds. */
    at: number;
    state: "sending" | "limited" | "refused";
    /** When a limited one may be sent again, in milliseconds. */
    until?: number;
    /** Why it was refused. */
    problem?: string;
    /** Whether its id belongs to another message. */
    taken?: boolean;
    /** Of the chat as it was shown when this was written. */
    revision?: number | undefined;
    /** The id of the message in whose place this is said. */
    edits?: string;
    /** What it is said with. */
    files?: Api.FileShape[];
  }

  /** A file of a message that is being written. */
  interface Attachment {
    key: string;
    name: string;
    media_type: string;
    size: number;
    /** How much of it was sent, from 0 to 1. */
    part: number;
    /** As the server keeps it; not there while it is on its way, or where it was refused. */
    file?: Api.FileShape;
    /** Why it was refused. */
    problem?: string | undefined;
    /** What sends it. */
    upload?: import("../sessions_app/static/sessions_app/js/upload.js").Upload | undefined;
  }

  /** The versions of one place: their ids, oldest first, and which of them is shown (from 0). */
  interface Versions {
    ids: string[];
    at: number;
  }

  /** What the page does about a message; about a suggestion, what is on its way, and a chat without room. */
  interface Actions {
    send(text: string): void;
    reclaim(entry: Entry): void;
    startOver(text: string): void;
    edit(message: Message): void;
    /** Without an id: answers the last message. */
    regenerate(answerId?: string): void;
    /** As `regenerate`; where there are several profiles, first asks which is to answer, beside the button. */
    again(answerId: string, button: HTMLElement): void;
    /** Shows another one of these. */
    select(versions: Versions, id: string, button: HTMLElement): void;
    rate(message: Message, rating: 1 | -1): void;
    fork(message: Message): void;
    /** Keeps what a call has proposed to remember, of which this is the result, or not. */
    decide(message: Message, save: boolean): void;
    /** Where the button that was pressed has gone, writing goes on. */
    focus(): void;
    /** Ends the running answer. */
    stop(): void;
    /** Has the earlier part of the chat summarised, for the model. */
    summarise(): void;
    /** Ends the summary in force. */
    useAll(): void;
    /** Takes back what waits for its turn. */
    withdraw(entry: Api.QueuedShape): void;
  }

  /** The modules of the page that are not needed at first. */
  interface LaterParts {
    approvals: typeof import("../sessions_app/static/sessions_app/js/approvals.js");
    attachmentItem: typeof import("../sessions_app/static/sessions_app/js/attachment_item.js");
    background: typeof import("../sessions_app/static/sessions_app/js/background.js");
    chatMenu: typeof import("../sessions_app/static/sessions_app/js/chat_menu.js");
    compaction: typeof import("../sessions_app/static/sessions_app/js/compaction.js");
    details: typeof import("../sessions_app/static/sessions_app/js/details.js");
    dividers: typeof import("../sessions_app/static/sessions_app/js/dividers.js");
    editor: typeof import("../sessions_app/static/sessions_app/js/editor_form.js");
    found: typeof import("../sessions_app/static/sessions_app/js/found.js");
    ledger: typeof import("../sessions_app/static/sessions_app/js/ledger.js");
    palette: typeof import("../sessions_app/static/sessions_app/js/page_palette.js");
    pickerMenu: typeof import("../sessions_app/static/sessions_app/js/picker_menu.js");
    proposals: typeof import("../sessions_app/static/sessions_app/js/proposals.js");
    settings: typeof import("../sessions_app/static/sessions_app/js/settings.js");
    sharing: typeof import("../sessions_app/static/sessions_app/js/sharing.js");
    sheet: typeof import("../sessions_app/static/sessions_app/js/sheet.js");
    shortcutList: typeof import("../sessions_app/static/sessions_app/js/shortcut_list.js");
  }

  type LaterFetchers = { [Name in keyof LaterParts]: () => Promise<LaterParts[Name]> };

  /** One element in a list of them: no two have the same `key`; what is built is kept while `version` stays the same. */
  interface Item {
    key: string;
    version: string;
    /** What is returned may be the node that was built before, changed. */
    build: (old?: HTMLElement) => HTMLElement;
  }

  /** A button: its label, and what it does. */
  type Choice = [label: string, act: () => void];

  /** One line of a menu: its label, smaller lines under it, and whether it is the one chosen of several. */
  interface MenuEntry {
    label: string;
    act: () => void;
    kind?: string;
    lines?: string[];
    checked?: boolean;
    /** Whether it is by itself on or off. */
    isSwitch?: boolean;
    /** Why it cannot be done just now; empty where it can. */
    reason?: string | undefined;
  }

  type Listeners = { [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => void };

  /**
   * What an element is given: attributes, but `class`, `text`, `data` (dataset) and `on` (listeners) mean what they say.
   * Null, undefined and false leave an attribute out.
   */
  interface Props {
    class?: string | undefined;
    text?: string | undefined;
    data?: Record<string, string>;
    on?: Listeners;
    [attribute: string]: string | boolean | null | undefined | Record<string, string> | Listeners;
  }

  /** HTML that the browser takes: where it has Trusted Types, what the page's one policy has made. */
  type Html = string | TrustedHTML;
}

// Trusted Types, which TypeScript's own library does not have.
interface TrustedHTML {
  toString(): string;
}
declare var trustedTypes:
  | {
      createPolicy(
        name: string,
        rules: { createHTML(html: string): string },
      ): { createHTML(html: string): TrustedHTML };
    }
  | undefined;
