// The files above the box: added by the button, by paste, by drop and by a phone's camera, and taken away again.

import { announce, toast } from "./announce.js";
import { Attachments } from "./attachments.js";
import { $, h, reconcile } from "./dom.js";
import { NO_FILES } from "./features.js";
import { drawnWith, using } from "./later.js";

export class AttachmentStrip {
  /**
   * @param {Attachments} attachments
   * @param {() => string | null} session the one that is open
   */
  constructor(attachments, session) {
    this.attachments = attachments;
    this.session = session;
    this.list = $("attachments");
    this.form = $("composer");
    this.input = $("attach-input", HTMLInputElement);
    $("attach").addEventListener("click", () => this.ask());
    this.input.addEventListener("change", () => this.picked(this.input));
    $("text").addEventListener("paste", (event) => this.pasted(event));
    document.addEventListener("dragover", (event) => this.over(event));
    document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || this.leave());
    document.addEventListener("drop", (event) => this.dropped(event));
    attachments.on("change", () => this.show());
  }

  /** Asks for files; where there are fingers there is a camera, which browsers offer only to who asks for it. */
  ask() {
    if (!matchMedia("(pointer: coarse)").matches) {
      this.input.click();
      return;
    }
    const ways = [
      { label: "Take a picture", act: () => this.takePicture() },
      { label: "Choose files", act: () => this.input.click() },
    ];
    void using("sheet", ({ openChoice }) => openChoice($("attach"), ways, "Add files"));
  }

  takePicture() {
    const camera = h("input", { type: "file", accept: "image/*", capture: "environment" });
    camera.addEventListener("change", () => this.picked(camera));
    camera.click();
  }

  /** @param {HTMLInputElement} input */
  picked(input) {
    this.add(input.files);
    // Else the same file could not be picked again.
    input.value = "";
  }

  /** @param {ClipboardEvent} event */
  pasted(event) {
    const files = event.clipboardData?.files;
    // What office programs copy is text as well, and a picture of it.
    if (!files?.length || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    this.add(files);
  }

  /** @param {DragEvent} event */
  over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.form.classList.add("dropping");
  }

  leave() {
    this.form.classList.remove("dropping");
  }

  /** @param {DragEvent} event */
  dropped(event) {
    this.leave();
    const files = event.dataTransfer?.files;
    if (!files?.length) return;
    event.preventDefault();
    this.add(files);
  }

  /** @param {FileList | null} files */
  add(files) {
    if (!files?.length) return;
    if (!this.attachments.allowed()) {
      toast(NO_FILES);
      return;
    }
    this.attachments.add(this.session(), files);
    announce(files.length === 1 ? `${files[0]?.name} is added.` : `${files.length} files are added.`);
  }

  show() {
    $("attach").hidden = !this.attachments.allowed();
    const session = this.session();
    const items = this.attachments.of(session);
    const part = items.length ? drawnWith("attachmentItem", () => this.show()) : null;
    this.list.hidden = !items.length;
    this.form.classList.toggle("with-files", items.length > 0);
    reconcile(this.list, part ? items.map((item) => this.item(part, session, item)) : []);
  }

  /**
   * @param {Page.LaterParts["attachmentItem"]} part
   * @param {string | null} session
   * @param {Page.Attachment} item
   * @returns {Page.Item}
   */
  item({ attachmentItem }, session, item) {
    const problem = this.attachments.problemOf(item);
    return {
      key: item.key,
      version: `${Math.round(item.part * 20)}:${item.file?.id}:${problem}`,
      build: () => attachmentItem(item, problem, () => this.attachments.remove(session, item.key)),
    };
  }
}
