// What the pages cannot do without a script: the CSRF token on htmx requests, dark or light, and what was announced.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("engage-theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("engage-theme", theme); } catch { /* a browser that keeps nothing */ } };
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (kept() === "dark" || kept() === "light") root.dataset.theme = kept();

  document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.ctx.request.headers["X-CSRFToken"] = token.content;
  });

  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      button.setAttribute("aria-pressed", String(dark()));
      keep(root.dataset.theme);
    });
  }

  for (const box of document.querySelectorAll("[data-shows]")) {
    box.addEventListener("change", () => {
      document.getElementById(box.dataset.shows).type = box.checked ? "text" : "password";
    });
  }

  // What is folded in the menu closes with Escape, with a click elsewhere, and when the focus has left it.
  for (const fold of document.querySelectorAll("[data-fold]")) {
    const shut = () => { fold.open = false; };
    fold.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !fold.open) return;
      shut();
      fold.querySelector("summary").focus();
    });
    fold.addEventListener("focusout", (event) => { if (event.relatedTarget && !fold.contains(event.relatedTarget)) shut(); });
    document.addEventListener("click", (event) => { if (!fold.contains(event.target)) shut(); });
  }

  // An answer may carry <p data-announce>…</p>: its words are read out without moving anybody's place.
  document.addEventListener("htmx:after:swap", () => {
    const region = document.getElementById("announcements");
    const said = document.querySelector("main [data-announce]:not([data-said])");
    if (!region || !said) return;
    said.dataset.said = "";
    region.textContent = said.textContent;
  });
})();
