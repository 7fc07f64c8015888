// The files of messages that are being written: each is sent to the server as soon as it is added, and named when the
// message goes. They belong to a chat's draft, and to this tab.

import { Emitter } from "./events.js";
import { NO_FILES } from "./features.js";
import { Upload } from "./upload.js";
import { sizeOf } from "./words.js";

export const MOST_FILES = 20;

/**
 * Tells "change".
 * @extends {Emitter<{ change: undefined }>}
 */
export class Attachments extends Emitter {
  /**
   * @param {{ maxFile: number, send(file: File, told: (part: number) => void): Upload, profile(): Api.ChoiceShape | undefined, allowed(): boolean }} parts
   * `profile` is what answers in the open chat, `allowed` tells whether this user may send files
   */
  constructor({ maxFile, send, profile, allowed }) {
    super();
    this.allowed = allowed;
    this.maxFile = maxFile;
    this.sendFile = send;
    this.profile = profile;
    /** @type {Map<string | null, Page.Attachment[]>} */
    this.drafts = new Map();
    this.count = 0;
  }

  /**
   * @param {string | null} session null: the next new chat
   * @returns {Page.Attachment[]}
   */
  of(session) {
    return this.drafts.get(session) ?? [];
  }

  /**
   * @param {string | null} session
   * @param {Iterable<File>} files
   */
  add(session, files) {
    for (const file of files) {
      this.count += 1;
      /** @type {Page.Attachment} */
      const item = { key: `file-${this.count}`, name: file.name, media_type: file.type, size: file.size, part: 0 };
      this.put(session, [...this.of(session), item]);
      if (this.of(session).length > MOST_FILES) item.problem = `A message has at most ${MOST_FILES} files.`;
      else if (file.size > this.maxFile) item.problem = `A file may have at most ${sizeOf(this.maxFile)}.`;
      else void this.upload(item, file);
    }
    this.tell("change");
  }

  /**
   * @param {Page.Attachment} item
   * @param {File} file
   */
  async upload(item, file) {
    item.upload = this.sendFile(file, (part) => {
      item.part = part;
      this.tell("change");
    });
    const { told: shape, problem } = await item.upload.done;
    item.upload = undefined;
    if (shape) Object.assign(item, { file: shape, name: shape.name, media_type: shape.media_type, size: shape.size });
    else item.problem = problem;
    this.tell("change");
  }

  /**
   * Takes a file away: one on its way is cut off. What is at the server already goes by itself after a day.
   * @param {string | null} session
   * @param {string} key
   */
  remove(session, key) {
    const item = this.of(session).find((other) => other.key === key);
    item?.upload?.cancel();
    this.put(
      session,
      this.of(session).filter((other) => other !== item),
    );
    this.tell("change");
  }

  /**
   * Why a file cannot go with the message; empty where it can.
   * @param {Page.Attachment} item
   */
  problemOf(item) {
    if (item.problem) return item.problem;
    if (!this.allowed()) return NO_FILES;
    const profile = this.profile();
    const isPicture = item.media_type.startsWith("image/");
    if (profile && isPicture && !profile.takes_images) return "The chosen model takes no pictures.";
    if (profile && !isPicture && !profile.takes_files) return "The chosen model takes no documents.";
    return "";
  }

  /**
   * Whether a file is on its way.
   * @param {string | null} session
   */
  isBusy(session) {
    return this.of(session).some(({ file, problem }) => !file && !problem);
  }

  /**
   * Whether all files can go.
   * @param {string | null} session
   */
  isReady(session) {
    return this.of(session).every((item) => item.file && !this.problemOf(item));
  }

  /**
   * The files of a message that goes now; the draft has none any more.
   * @param {string | null} session
   * @returns {Api.FileShape[]}
   */
  take(session) {
    const files = this.of(session).flatMap(({ file }) => file ?? []);
    this.put(session, []);
    this.tell("change");
    return files;
  }

  /**
   * Files of a message that comes back to be changed.
   * @param {string | null} session
   * @param {Api.FileShape[]} files
   */
  putBack(session, files) {
    const items = files.map((file) => ({ key: `back-${file.id}`, ...file, part: 1, file }));
    const others = this.of(session).filter(({ key }) => !items.some((item) => item.key === key));
    this.put(session, [...items, ...others]);
    this.tell("change");
  }

  /**
   * What was added on the page of a new chat is now of the chat.
   * @param {string} session
   */
  adopt(session) {
    this.put(session, [...this.of(null), ...this.of(session)]);
    this.put(null, []);
    this.tell("change");
  }

  /**
   * @param {string | null} session
   * @param {Page.Attachment[]} items
   */
  put(session, items) {
    if (items.length) this.drafts.set(session, items);
    else this.drafts.delete(session);
  }
}
