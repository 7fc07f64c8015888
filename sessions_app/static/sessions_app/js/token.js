// The button that copies a new token. Without this it stays hidden, and the token can be selected with one click.

import { copyFrom } from "./clipboard.js";

const button = document.getElementById("copy");
const secret = document.getElementById("secret");
if (button && secret) {
  button.hidden = false;
  button.addEventListener("click", () => copyFrom(button, secret.textContent ?? "", button.querySelector("span")));
}
