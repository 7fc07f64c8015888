// The button for a passkey, on the pages that ask who somebody is. It stands hidden until this runs.

import { hasPasskeys, sendsPasskey } from "./passkeys.js";

const form = document.getElementById("passkey");
if (form instanceof HTMLFormElement && hasPasskeys()) {
  sendsPasskey(form, (options) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  );
  form.hidden = false;
}
