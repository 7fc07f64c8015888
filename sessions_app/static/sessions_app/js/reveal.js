// The buttons that show a password while it is typed. Each stands hidden beside its field until this runs.

for (const button of document.querySelectorAll(".reveal-button")) {
  const field = button.previousElementSibling;
  const word = button.firstElementChild;
  if (!(button instanceof HTMLButtonElement) || !(field instanceof HTMLInputElement) || !word) continue;

  /** @param {boolean} shown */
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    word.textContent = shown ? "Hide" : "Show";
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  // A browser offers to keep a password, and not a text.
  field.form?.addEventListener("submit", () => show(false));
}
