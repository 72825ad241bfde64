// Writing and reporting in a dialog over the page. Without this script, or when their form is not to be had soon, they are pages.
(() => {
  const said = document.getElementById("said");
  const main = said.parentNode;
  const dialog = main.appendChild(document.createElement("dialog"));
  // What is said to a person is said in front: the page behind a dialog is out of reach.
  dialog.addEventListener("close", () => main.prepend(said));

  // By their addresses: one that was closed still has what was typed into it when it is opened again.
  const forms = {};
  const ask = async (address) => {
    const answer = await fetch(address, { headers: { "HX-Request": true }, signal: AbortSignal.timeout(4000) });
    const form = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form");
    dialog.replaceChildren();
    // Of two fields with one id the labels would lead to the first.
    form.querySelectorAll("[id]").forEach((field) => { if (document.getElementById(field.id)) throw 0; });
    return form;
  };

  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
    const link = event.target.closest("[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const form = await (forms[link.href] ||= ask(link.href));
      if (dialog.open) return;
      // The focus comes back to where it was, and a menu may be closed by then.
      const menu = link.closest("details");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
      dialog.replaceChildren(form, said);
      dialog.ariaLabel = form.querySelector("h1").textContent;
      dialog.showModal();
    } catch {
      location.assign(link.href);
    }
  });
})();
