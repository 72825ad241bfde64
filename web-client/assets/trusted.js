// Text becomes HTML by this function alone; that is what the policy of pages asks of a browser. The parts of pages that this client sends
// load and run nothing, so what does is refused. Nothing here makes text a script or the address of one, so nothing can.
window.trustedTypes?.createPolicy("default", {
  createHTML(text) {
    if (/<(script|style|link|meta|base|iframe|object)\b/i.test(text)) throw text;
    return text;
  },
});
