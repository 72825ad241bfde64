// Keys for moderators: an element names its own by aria-keyshortcuts; j and k go from case to case, x chooses one. They can be switched
// off, because who speaks to a machine says letters, too. Without this script all of it is reached by Tab.
(() => {
  "use strict";
  const on = document.getElementById("keys-on");
  document.getElementById("keys").hidden = false;
  on.checked = localStorage.getItem("keys") !== "off";
  on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!on.checked || document.querySelector("dialog[open]") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])")) return;
    const around = target.closest(".case");
    let found;
    if (key === "j" || key === "k") {
      const cases = [...document.querySelectorAll("[data-case]")];
      const at = cases.indexOf(around && around.querySelector("[data-case]"));
      found = cases[key === "j" ? at + 1 : Math.max(at - 1, 0)];
      if (found) found.focus();
    } else if (key === "x") {
      found = around && around.querySelector("[type=checkbox]");
      if (found) found.click();
    } else {
      found = document.querySelector(`main [aria-keyshortcuts="${CSS.escape(key)}"]`);
      if (found) found.focus();
      if (found && !found.matches("textarea, [data-focus]")) found.click();
    }
    if (found) event.preventDefault();
  });
})();
