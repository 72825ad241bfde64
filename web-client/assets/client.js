// What forms and links cannot do alone: live parts that rest while a tab is hidden, and a word where no answer comes.
(() => {
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

  // What a person has asked for does not fail in silence; what a page asks for by itself may.
  const said = document.getElementById("said");
  const asked = (event) => event.detail.requestConfig.verb !== "get";
  document.addEventListener("htmx:beforeRequest", (event) => { if (asked(event)) said.textContent = ""; });
  ["responseError", "sendError", "timeout"].forEach((name) => document.addEventListener(`htmx:${name}`, (event) => {
    if (!asked(event)) return;
    const { xhr } = event.detail;
    const reason = name === "responseError" && /^text\/plain/.test(xhr.getResponseHeader("content-type")) && xhr.responseText;
    said.textContent = reason || (name === "sendError" ? said.dataset.offline : said.dataset.failed);
  }));

  // Without a connection a form stays, with all that is in it. That there is none is asked for: a machine may be all that there is.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // What htmx sends has words of its own.
    if (event.defaultPrevented || navigator.onLine || form.method !== "post" || form.dataset.asked) return;
    event.preventDefault();
    fetch("/health/live", { cache: "no-store" }).then(
      () => { form.dataset.asked = "yes"; form.requestSubmit(event.submitter); },
      () => { said.textContent = said.dataset.offline; },
    );
  });

  // What takes the place of a part of a page takes its focus, too, or the way by keys would begin at the top again.
  document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    if (elt.matches(".actions") && document.activeElement === document.body) elt.querySelector("summary").focus();
  });

  // Pictures that would be refused for their size are refused before they are sent.
  document.addEventListener("change", ({ target }) => {
    if (target.type !== "file") return;
    const inputs = [...target.form.querySelectorAll("input[type=file]")];
    const bytes = inputs.flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);
    inputs.forEach((input) => input.setCustomValidity(""));
    if (bytes > 10485760) target.setCustomValidity(target.form.dataset.large);
  });

  const wrong = document.querySelector("[aria-invalid=true]") || document.getElementById("error");
  if (wrong) wrong.focus();
})();
