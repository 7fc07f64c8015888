// How a file looks above the box, where it waits to be sent.

import { h, icon, iconButton } from "./dom.js";
import { isPicture, thumbnail } from "./files.js";
import { sizeOf } from "./words.js";

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
