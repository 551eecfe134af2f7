// `tel:` links of every page in this browser lead here, if the person wants it; the browser asks him.

const button = document.getElementById("tel-links");
if ("registerProtocolHandler" in navigator && window.isSecureContext && window.parent === window) {
  button.hidden = false;
  button.addEventListener("click", () => navigator.registerProtocolHandler("tel", `${location.origin}/desk/call?number=%s`));
}
