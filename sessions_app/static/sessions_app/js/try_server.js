// The button "Try it" of a tool server's page in the admin: asks the server that the form names, as it stands, for its
// tools, and shows them, or says why it has told none. Nothing is stored by that.

const ASKING = "Asking the server…";
const NO_ANSWER = "The site did not answer. Load the page again, and try once more.";

const button = document.getElementById("try-server");
const result = document.getElementById("try-server-result");
const list = document.getElementById("try-server-tools");

/** @typedef {{ name: string, description: string, arguments: string[] }} Tool */
/** @typedef {{ text: string, tools: Tool[] }} Tried */

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<Tried>}
 */
async function tried(form) {
  const fields = new FormData(form);
  fields.set("row", button?.dataset.row ?? "");
  const response = await fetch(button?.dataset.address ?? "", { method: "POST", body: fields });
  return response.ok ? await response.json() : { text: NO_ANSWER, tools: [] };
}

/**
 * @param {string} tag
 * @param {...(string | Node)} content
 */
function element(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}

/** @param {Tool} tool */
function shown(tool) {
  const lines = tool.arguments.map((line) => element("li", line));
  return element(
    "li",
    element("code", tool.name),
    element("p", tool.description),
    element("details", element("summary", "Arguments"), element("ul", ...lines)),
  );
}

if (button instanceof HTMLButtonElement && button.form && result && list) {
  const form = button.form;
  button.addEventListener("click", async () => {
    button.disabled = true;
    list.hidden = true;
    result.textContent = ASKING;
    const { text, tools } = await tried(form).catch(() => ({ text: NO_ANSWER, tools: [] }));
    result.textContent = text;
    list.replaceChildren(...tools.map(shown));
    list.hidden = tools.length === 0;
    button.disabled = false;
  });
}

export {}; // a module, whose names are its own
