// Passkeys: asks the site what the browser is to do, and sends what it has done as a form.

const FAILED = "That did not work, or was stopped. Try again.";

/**
 * Whether this browser has passkeys, at this address, and the means to write down what one says.
 * @returns {boolean}
 */
export function hasPasskeys() {
  return Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);
}

/**
 * Let a form be sent with what the browser says of a passkey.
 * @param {HTMLFormElement} form
 * @param {(options: any) => Promise<Credential | null>} ask
 */
export function sendsPasskey(form, ask) {
  const field = form.elements.namedItem("credential");
  const token = form.elements.namedItem("csrfmiddlewaretoken");
  const notice = form.querySelector(".notice.error");
  if (!(field instanceof HTMLInputElement && token instanceof HTMLInputElement)) return;
  if (!(notice instanceof HTMLElement)) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    notice.hidden = true;
    try {
      const options = await optionsFrom(form.dataset.options ?? "", token.value);
      const credential = await ask(options.publicKey);
      field.value = JSON.stringify(credential);
      form.submit();
    } catch (error) {
      notice.textContent = error instanceof Refusal ? error.message : FAILED;
      notice.hidden = false;
    }
  });
}

/** The site says why not, in a sentence. */
class Refusal extends Error {}

/**
 * @param {string} address
 * @param {string} token
 * @returns {Promise<any>}
 */
async function optionsFrom(address, token) {
  const response = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
  const told = await response.json();
  if (!response.ok) throw new Refusal(told.error ?? FAILED);
  return told;
}
