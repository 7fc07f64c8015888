// How files look in messages.

import { h, icon } from "./dom.js";
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
export const isPicture = ({ media_type }) => media_type.startsWith("image/");

/** @param {Api.FileShape} file */
export function thumbnail({ url, name, width, height }) {
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
