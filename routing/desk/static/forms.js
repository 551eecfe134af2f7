// Forms in which people type freely: `<form id data-keep data-version>`.
// A field is changed while it differs from what the server has sent. Changed fields stay as they are when a region is
// morphed, and so does their companion `<input type="hidden" data-of="ID of the field">` (what the value was when he
// began); `<input type="hidden" data-base>` stays while a changed field is out of date. What became known meanwhile is
// told in `[data-newer-of="ID of the field"]`. A form that the server takes away stays while something is unsaved in it.
// Classes of the form: `changed`, `stale`. Buttons: `data-revert`, `data-use` (put its value into the field `data-for`),
// `data-discard`. Elements with `data-stay` are left alone by the morph until they are closed or the form is saved, then
// removed; `data-stay="empty"`: then emptied.

const newest = new WeakMap(); // form -> what the server has sent for it last, while something was changed
const FIELDS = "input:not([type=hidden], [type=submit], [type=button], [type=search], [data-picks]), textarea, select";

const formOf = (node) => node.closest?.("form[data-keep]");
const fieldsOf = (form) => [...form.querySelectorAll(FIELDS)].filter((field) => !field.closest("[data-stay]"));

function saved(field) {
  if (field.dataset.saved !== undefined) return field.dataset.saved.replace(/\r\n?/g, "\n");
  if (field.type === "checkbox" || field.type === "radio") return String(field.defaultChecked);
  if (field.tagName !== "SELECT") return field.defaultValue;
  const chosen = [...field.options].filter((option) => option.defaultSelected);
  return (chosen.length ? chosen : [...field.options].slice(0, 1)).map((option) => option.value).join("\n");
}

function value(field) {
  if (field.type === "checkbox" || field.type === "radio") return String(field.checked);
  return field.tagName === "SELECT" ? [...field.selectedOptions].map((option) => option.value).join("\n") : field.value;
}

const isChanged = (field) => value(field) !== saved(field);
const changedIn = (form) => fieldsOf(form).filter(isChanged);
// `data-keep="choice"`: chosen for one press, and worth nothing when that is not possible any more.
const isKept = (form) => form.dataset.keep !== "choice";
const hasChanges = (node) =>
  [...(node.matches?.("form[data-keep]") ? [node] : []), ...(node.querySelectorAll?.("form[data-keep]") || [])].some(
    (form) => isKept(form) && changedIn(form).length > 0,
  );

// ------------------------------------------------------------------ what the morph leaves alone

const callbacks = window.Idiomorph.defaults.callbacks;

callbacks.beforeNodeMorphed = (old, fresh) => {
  if (old.nodeType !== Node.ELEMENT_NODE) return true;
  if (old.matches("[data-stay]")) return false;
  const form = formOf(old);
  if (!form) return true;
  if (old === form) return morphForm(form, fresh);
  if (old.matches("[data-of]")) return !isHeld(form, old.dataset.of);
  if (old.matches("[data-newer-of]")) return !isHeld(form, old.dataset.newerOf);
  if (old.matches("[data-base]")) return !form.classList.contains("stale");
  return !(old.matches(FIELDS) && isHeld(form, old.id));
};

callbacks.beforeAttributeUpdated = (name, node) => {
  if (name === "open" && node.matches("dialog, details")) return false; // who opened it closes it
  return !(name === "class" && node.matches("form[data-keep]"));
};

callbacks.beforeNodeRemoved = (node) => {
  if (node.nodeType !== Node.ELEMENT_NODE) return true;
  if (node.matches("[data-stay]")) return false;
  if (!hasChanges(node)) return true;
  orphan(node);
  return false;
};

function morphForm(form, fresh) {
  if (form.dataset.orphan !== undefined) adopt(form);
  if (!changedIn(form).length) {
    form.classList.remove("stale", "changed");
    newest.delete(form);
    return true;
  }
  newest.set(form, fresh.cloneNode(true));
  form.classList.toggle("stale", fieldsOf(form).filter((field) => isHeld(form, field.id) && isOutdated(field, fresh)).length > 0);
  return true;
}

// Changed, and not to the very value that the server has now.
function isHeld(form, id) {
  const field = id && form.querySelector(`#${CSS.escape(id)}`);
  if (!field || !isChanged(field)) return false;
  const sent = newest.get(form)?.querySelector(`#${CSS.escape(id)}`);
  return !sent || saved(sent) !== value(field);
}

function isOutdated(field, fresh) {
  const sent = fresh.querySelector(`#${CSS.escape(field.id)}`);
  const is = Boolean(sent) && saved(sent) !== saved(field);
  const told = formOf(field).querySelector(`[data-newer-of="${CSS.escape(field.id)}"]`);
  if (told) {
    told.hidden = !is;
    told.textContent = is ? told.dataset.text.replace("%s", saved(sent)) : "";
  }
  return is;
}

function orphan(node) {
  if (node.dataset.orphan !== undefined) return;
  node.dataset.orphan = "";
  for (const form of node.matches("form[data-keep]") ? [node] : node.querySelectorAll("form[data-keep]")) {
    if (changedIn(form).length && !form.isSent) lament(form);
  }
  for (const button of node.querySelectorAll("button:not([data-discard], [data-copy])")) button.disabled = true;
}

function lament(form) {
  form.prepend(document.getElementById("orphan").content.cloneNode(true));
  for (const field of fieldsOf(form)) field.readOnly = true;
}

// It is there again.
function adopt(form) {
  delete form.dataset.orphan;
  form.querySelector("[data-discard]")?.parentElement.remove();
  for (const field of fieldsOf(form)) field.readOnly = false;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

// ------------------------------------------------------------------ what people do

function mark(form) {
  form.classList.toggle("changed", changedIn(form).length > 0);
  for (const field of fieldsOf(form)) {
    const row = field.closest(".field");
    if (row) row.classList.toggle("changed", isChanged(field));
    count(form, field);
  }
}

// Characters as the server counts them. Nothing is cut off: what is too long is refused, with its text kept.
function count(form, field) {
  const told = form.querySelector(`[data-count-of="${CSS.escape(field.id)}"]`);
  if (!told) return;
  const length = [...field.value.normalize("NFC")].length;
  const most = Number(told.dataset.most);
  told.textContent = length > most / 2 ? `${length}/${most}` : "";
  told.classList.toggle("error", length > most);
}

function revert(form) {
  for (const field of fieldsOf(form)) {
    const before = saved(field);
    if (field.type === "checkbox" || field.type === "radio") field.checked = before === "true";
    else if (field.tagName === "SELECT") for (const option of field.options) option.selected = option.value === before;
    else field.value = before;
  }
  renew(form);
}

// Nothing of his own is in it any more: what the server sent last.
function renew(form) {
  for (const note of form.querySelectorAll("[data-stay]")) {
    if (note.dataset.stay === "empty") note.replaceChildren();
    else note.remove();
  }
  for (const told of form.querySelectorAll("[data-newer-of]")) told.hidden = true;
  form.classList.remove("stale", "changed");
  const fresh = newest.get(form);
  newest.delete(form);
  if (fresh) {
    window.Idiomorph.morph(form, fresh);
    window.htmx.process(form);
  }
  mark(form);
}

document.addEventListener("input", (event) => {
  const form = formOf(event.target);
  if (form) mark(form);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-picks]")) pick(event.target);
  const form = formOf(event.target);
  if (form) mark(form);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-revert], [data-use], [data-discard]");
  if (!button) return;
  const form = formOf(button);
  if (button.matches("[data-revert]")) revert(form);
  if (button.matches("[data-discard]")) button.closest("[data-orphan]").remove();
  if (button.matches("[data-use]")) use(form, button);
});

// The picker's local time, with the offset that holds here then: the value is ISO 8601 and the same everywhere.
function pick(picker) {
  if (!picker.value) return;
  const minutes = -new Date(picker.value).getTimezoneOffset();
  const part = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const offset = minutes ? `${minutes < 0 ? "-" : "+"}${part(minutes / 60)}:${part(minutes % 60)}` : "Z";
  const field = document.getElementById(picker.dataset.picks);
  field.value = `${picker.value}${picker.value.length === 16 ? ":00" : ""}${offset}`;
  field.focus();
}

function use(form, button) {
  const field = document.getElementById(button.dataset.for);
  field.value = button.dataset.use;
  button.closest("[data-stay]")?.remove();
  mark(form);
  field.focus();
}

// What was sent is saved, unless it has been changed on since.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches("form[data-keep]")) return;
  form.sent = new Map(fieldsOf(form).map((field) => [field.id || field.name, value(field)]));
  form.isSent = true;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const { elt: form, xhr, successful } = event.detail;
  if (!form.sent) return;
  form.isSent = false;
  if (successful && xhr.status !== 401 && !xhr.getResponseHeader("X-Desk-Problem")) saveSent(form, xhr.getResponseHeader("X-Desk-Version"));
  const orphan = form.closest("[data-orphan]"); // the stream was faster than the answer
  if (orphan && !hasChanges(orphan)) orphan.remove();
  else if (orphan && changedIn(form).length && !form.querySelector("[data-discard]")) lament(form);
});

// `version`: what the next save is based on, where the answer says it.
function saveSent(form, version) {
  for (const field of fieldsOf(form)) if (form.sent.get(field.id || field.name) === value(field)) settle(form, field);
  const base = form.querySelector("[data-base]");
  if (base && version) base.value = version;
  if (changedIn(form).length) mark(form);
  else renew(form);
}

function settle(form, field) {
  if (form.dataset.keep === "clear") {
    // A form for something new each time, as a note: empty again.
    if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
    else if (field.tagName === "SELECT") field.selectedIndex = 0;
    else field.value = saved(field);
    return;
  }
  if (field.dataset.saved !== undefined) field.dataset.saved = field.value;
  else if (field.type === "checkbox" || field.type === "radio") field.defaultChecked = field.checked;
  else if (field.tagName === "SELECT") for (const option of field.options) option.defaultSelected = option.selected;
  else field.defaultValue = field.value;
  const before = form.querySelector(`[data-of="${CSS.escape(field.id)}"]`);
  if (before) before.value = field.value;
}

addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-keep]")].some((form) => isKept(form) && changedIn(form).length)) event.preventDefault();
});
for (const name of ["htmx:sseMessage", "htmx:afterSettle"]) {
  document.body.addEventListener(name, () => document.querySelectorAll("form[data-keep]").forEach(mark));
}
document.querySelectorAll("form[data-keep]").forEach(mark);
