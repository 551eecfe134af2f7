// Keys: the first element with this `data-key` that can be used is pressed, of the call in which the focus is or else of
// the page; what cannot be taken back needs Shift, so that words typed in the wrong place end nothing. Never while somebody types, in a dialog, or with Ctrl, Alt or Meta. They can be switched off: WCAG 2.1.4.

const OFF = "desk.keys.off";
const switched = document.getElementById("keys-on");
const isOff = () => localStorage.getItem(OFF) === "yes";
const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range]), textarea, select, [contenteditable]";

function show() {
  document.body.classList.toggle("no-keys", isOff());
  if (switched) switched.checked = !isOff();
}

switched?.addEventListener("change", () => {
  localStorage.setItem(OFF, switched.checked ? "no" : "yes");
  show();
});

document.addEventListener("keydown", (event) => {
  if (isOff() || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
    return;
  }
  const found = find((event.shiftKey ? "shift+" : "") + event.key.toLowerCase());
  if (!found) return;
  event.preventDefault();
  press(found);
});

function find(key) {
  const near = document.activeElement?.closest?.("[data-call]");
  const places = near ? [near, document] : [document];
  for (const place of places) {
    const all = [...place.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
    const usable = all.find((one) => !one.disabled && one.checkVisibility?.() !== false);
    if (usable) return usable;
  }
  return null;
}

function press(element) {
  element.focus();
  if (element.matches(TYPING)) return;
  element.click();
  if (element.matches("summary")) element.parentElement.querySelector("input, .items button")?.focus();
}

show();
