// The form that adds a passkey to the account.

import { hasPasskeys, sendsPasskey } from "./passkeys.js";

const form = document.getElementById("new-passkey");
if (form instanceof HTMLFormElement) {
  if (hasPasskeys()) {
    sendsPasskey(form, (options) =>
      navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
    );
  } else {
    const told = document.createElement("p");
    told.className = "notice";
    told.textContent = "This browser makes no passkeys at this address: that takes https, or localhost.";
    form.replaceWith(told);
  }
}
