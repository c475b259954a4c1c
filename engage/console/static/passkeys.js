// Lets a form with data-passkey="add" or "use" be answered by a passkey: options are fetched, the browser asks, the form is sent.
"use strict";
(() => {
  const can = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!can) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      const problem = form.querySelector("[data-problem]");
      problem.hidden = true;
      try {
        const answer = await fetch(form.dataset.options, {
          method: "POST", headers: { "X-CSRFToken": form.elements.csrf_token.value },
        });
        const options = await answer.json();
        const made = form.dataset.passkey === "add"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        form.elements.credential.value = JSON.stringify(made.toJSON());
        form.submit();
      } catch {
        problem.hidden = false;
      }
    });
  }
})();
