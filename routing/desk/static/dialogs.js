// Dialogs and focus. `<dialog data-modal>` opens when it appears, wherever it comes from; with `data-must` it stays until
// the server takes it away; with `data-once` it is removed when it closes. `data-close` closes the dialog around it,
// `data-open="ID"` opens one that is there. `data-copy="ID"` copies the value of that element.

const body = document.body;

function openNew() {
  for (const dialog of document.querySelectorAll("dialog[data-modal]:not([open])")) dialog.showModal();
}

body.addEventListener("click", (event) => {
  const { target } = event;
  const opener = target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  const menu = target.closest(".menu > .items button") && target.closest(".menu");
  if (menu) setTimeout(() => close(menu)); // htmx forgets which button it was when the focus moves
  const copier = target.closest("[data-copy]");
  if (copier) copy(copier);
  // The backdrop is the dialog itself, outside of its box.
  if (target.matches("dialog[open]:not([data-must])") && isOutside(target, event)) target.close();
});

// It has been chosen; the focus must not stay on what is not seen any more.
function close(menu) {
  menu.querySelector("summary").focus();
  menu.open = false;
}

function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  return !isInside && (event.clientX !== 0 || event.clientY !== 0);
}

addEventListener("cancel", (event) => event.target.matches("dialog[data-must]") && event.preventDefault(), true);
addEventListener(
  "close",
  (event) => {
    const dialog = event.target;
    // What it has brought about is still to be read when it is gone.
    document.getElementById("messages").append(...dialog.querySelectorAll("[data-messages] > .message.done"));
    if (dialog.matches("dialog[data-must]") && dialog.isConnected) dialog.showModal();
    else if (dialog.matches("dialog[data-once]")) dialog.remove();
    if (document.activeElement === body) document.getElementById("main").focus({ preventScroll: true });
  },
  true,
);
// What was asked for in a dialog is done: it has served its purpose.
body.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr, successful } = event.detail;
  const isDone = successful && xhr.status < 400 && !xhr.getResponseHeader("X-Desk-Problem");
  if (isDone && elt.closest("[data-then-close]")) elt.closest("dialog")?.close();
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    source.select?.();
    if (!source.select) getSelection().selectAllChildren(source);
    return; // he presses Ctrl+C himself
  }
  if (button.dataset.done) document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: "done", title: button.dataset.done } }));
}

// ------------------------------------------------------------------ focus

// Where the focus was, from the inside out: when its element goes, the nearest that is still there gets it.
let path = [];
body.addEventListener("htmx:sseBeforeMessage", remember);
body.addEventListener("htmx:beforeSwap", remember);
for (const name of ["htmx:sseMessage", "htmx:afterSettle"]) {
  body.addEventListener(name, () => {
    openNew();
    restore();
  });
}

function remember() {
  path = [];
  for (let one = document.activeElement; one && one !== body; one = one.parentElement) if (one.id) path.push(one.id);
}

function restore() {
  if (document.activeElement && document.activeElement !== body) return;
  const found = path.map((id) => document.getElementById(id)).find((one) => one && !one.hidden && !one.matches(".region"));
  path = [];
  if (!found) return;
  // Not one of its buttons: the next press of a key must not do what nobody has looked at.
  if (!found.matches("button, input, select, textarea, summary, a[href]")) found.setAttribute("tabindex", "-1");
  found.focus({ preventScroll: true });
}

openNew();

// ------------------------------------------------------------------ lists to choose from

// `<input data-into="ID">` and the list `<div id="ID" data-options>` of buttons: arrow keys lead from one to the other.
// Enter in the field leads to the first one and does not choose it: the list may be about to change.
const optionsOf = (list) => [...list.querySelectorAll("button:not(:disabled)")];

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("[data-into]");
  if (field && (event.key === "ArrowDown" || event.key === "Enter")) {
    event.preventDefault();
    optionsOf(document.getElementById(field.dataset.into))[0]?.focus();
  }
  const list = event.target.closest?.("[data-options]");
  if (list && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) step(event, list);
});

function step(event, list) {
  event.preventDefault();
  const options = optionsOf(list);
  const at = options.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
  if (to < 0) document.querySelector(`[data-into="${CSS.escape(list.id)}"]`)?.focus();
  else options[Math.min(to, options.length - 1)]?.focus();
}
