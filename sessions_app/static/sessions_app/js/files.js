// How files look: in messages, and above the box where they wait to be sent.

import { h, icon, iconButton } from "./dom.js";
import { sizeOf } from "./words.js";

/** Pixels of the longer side of a thumbnail. */
const THUMBNAIL = 320;

/**
 * The files of a message; null where it has none.
 * @param {Api.FileShape[] | undefined | null} files
 */
export function fileList(files) {
  if (!files?.length) return null;
  return h("ul", { class: "files", "aria-label": "Files" }, ...files.map((file) => h("li", {}, fileLink(file))));
}

/** @param {Api.FileShape} file */
function fileLink(file) {
  if (isPicture(file)) {
    const props = { class: "picture", href: file.url, target: "_blank", rel: "noopener", title: file.name };
    return h("a", props, thumbnail(file));
  }
  const facts = [file.pages ? `${file.pages} ${file.pages === 1 ? "page" : "pages"}` : "", sizeOf(file.size)];
  return h(
    "a",
    { class: "document", href: file.url, download: file.name, title: file.notice },
    icon("file"),
    h("bdi", { class: "file-name", text: file.name }),
    h("span", { class: "file-facts", text: facts.filter(Boolean).join(", ") }),
  );
}

/** @param {Pick<Api.FileShape, "media_type">} file */
const isPicture = ({ media_type }) => media_type.startsWith("image/");

/** @param {Api.FileShape} file */
function thumbnail({ url, name, width, height }) {
  const scale = Math.min(1, THUMBNAIL / Math.max(width ?? 1, height ?? 1));
  const [wide, high] = [width ?? 1, height ?? 1].map((side) => String(Math.round(side * scale)));
  return h("img", {
    src: `${url}?thumbnail`,
    alt: name,
    loading: "lazy",
    decoding: "async",
    width: wide,
    height: high,
  });
}

/**
 * A file above the box.
 * @param {Page.Attachment} item
 * @param {string} problem
 * @param {() => void} remove
 */
export function attachmentItem(item, problem, remove) {
  const { file, name } = item;
  const label = file || problem ? `Remove ${name}` : `Cancel ${name}`;
  const node = h(
    "li",
    { class: `attachment${problem ? " bad" : ""}` },
    file && isPicture(file) && !problem ? thumbnail(file) : icon("file"),
    h(
      "span",
      { class: "attachment-words" },
      h("bdi", { class: "file-name", text: name }),
      h("span", { class: "file-facts", role: problem ? "alert" : null, text: problem || factsOf(item) }),
    ),
    iconButton("close", label, remove),
  );
  if (!file && !problem)
    node.append(h("progress", { max: "1", value: String(item.part), "aria-label": `Sending ${name}` }));
  return node;
}

/** @param {Page.Attachment} item */
function factsOf({ file, part, size }) {
  if (!file) return part < 1 ? "Sending …" : "Being read …";
  return file.notice ?? sizeOf(size);
}
