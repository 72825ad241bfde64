// What forms and links cannot do alone: live parts that rest while a tab is hidden, and focus on what went wrong.
"use strict";

let source;
document.addEventListener("htmx:sseOpen", (event) => {
  source = event.detail.source;
  // Also of a tab that was opened behind another one, or whose stream came back while it was hidden.
  if (document.hidden) { source.close(); source = undefined; return; }
  source.addEventListener("feed", () => { if (document.getElementById("news")) htmx.trigger("#news", "feed"); });
});

// A browser has few connections to one origin: a hidden tab gives its own back, and asks again when it is shown.
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (!live) return;
  if (document.hidden) {
    if (source) source.close();
    source = undefined;
  } else if (!source) {
    const fresh = live.cloneNode(true);
    live.replaceWith(fresh);
    htmx.process(fresh);
  }
});

// Menus close on Escape and on a click beside them.
const close = (except) => document.querySelectorAll("details.menu[open]").forEach((menu) => { if (menu !== except) menu.open = false; });
document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

const error = document.getElementById("error");
if (error) error.focus();
