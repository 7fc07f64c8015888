// The button "Try it" of a profile's page in the admin: asks the model that the form names, as it stands, and says in a
// sentence whether it answers. Nothing is stored by that.

const ASKING = "Asking the model…";
const NO_ANSWER = "The site did not answer. Load the page again, and try once more.";

const button = document.getElementById("try-model");
const result = document.getElementById("try-model-result");

/** @param {HTMLFormElement} form */
async function tried(form) {
  const fields = new FormData(form);
  fields.set("profile", button?.dataset.profile ?? "");
  const response = await fetch(button?.dataset.address ?? "", { method: "POST", body: fields });
  return response.ok ? String((await response.json()).text) : NO_ANSWER;
}

if (button instanceof HTMLButtonElement && button.form && result) {
  const form = button.form;
  button.addEventListener("click", async () => {
    button.disabled = true;
    result.textContent = ASKING;
    result.textContent = await tried(form).catch(() => NO_ANSWER);
    button.disabled = false;
  });
}
