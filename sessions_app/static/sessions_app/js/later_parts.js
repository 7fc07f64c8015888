// The parts of the page that later.js fetches. What is in them imports from the rest of the page, and never the other way.

/** @type {Page.LaterFetchers} */
export const laterParts = {
  approvals: () => import("./approvals.js"),
  attachmentItem: () => import("./attachment_item.js"),
  background: () => import("./background.js"),
  chatMenu: () => import("./chat_menu.js"),
  compaction: () => import("./compaction.js"),
  details: () => import("./details.js"),
  dividers: () => import("./dividers.js"),
  editor: () => import("./editor_form.js"),
  found: () => import("./found.js"),
  ledger: () => import("./ledger.js"),
  palette: () => import("./page_palette.js"),
  pickerMenu: () => import("./picker_menu.js"),
  proposals: () => import("./proposals.js"),
  settings: () => import("./settings.js"),
  sharing: () => import("./sharing.js"),
  sheet: () => import("./sheet.js"),
  shortcutList: () => import("./shortcut_list.js"),
};
