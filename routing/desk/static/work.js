// Tabs around the calls: a panel is loaded when it is opened first. `data-panel="NAME" data-url="…"` on a button opens
// that panel with that address. `data-clear="ID"` empties the fields inside of that element, and presses
// the button `data-then`. When something has left the
// agent's hands, what an open panel lists has changed; it is loaded anew unless he is typing or reading one of its items.

const list = document.querySelector('[data-tabs="work"]');
const REMEMBERED = "desk-work-tab";
const RECORDED_AFTER_MS = 1500; // the history is written a moment after the event
const AGAIN = { history: "#history-find", callbacks: "#refresh-callbacks" };

const tabs = list ? [...list.querySelectorAll('[role="tab"]')] : [];
const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
const loaded = new Set();

function select(tab, url) {
  for (const one of tabs) {
    const is = one === tab;
    one.setAttribute("aria-selected", String(is));
    one.tabIndex = is ? 0 : -1;
    panelOf(one).hidden = !is;
  }
  sessionStorage.setItem(REMEMBERED, tab.id);
  const panel = panelOf(tab);
  if (url && panel.querySelector("form.changed")) {
    document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: "error", title: list.dataset.unsaved } }));
  } else if (url) {
    loaded.add(panel.id);
    window.htmx.ajax("GET", url, { target: panel, swap: "innerHTML" });
  } else if (!loaded.has(panel.id)) {
    loaded.add(panel.id);
    window.htmx.trigger(panel, "desk:open");
  }
}

function moved(tab, key) {
  const place = tabs.indexOf(tab);
  const ahead = getComputedStyle(list).direction === "rtl" ? -1 : 1;
  const steps = { ArrowRight: ahead, ArrowLeft: -ahead };
  if (key === "Home") return tabs[0];
  if (key === "End") return tabs[tabs.length - 1];
  return key in steps ? tabs[(place + steps[key] + tabs.length) % tabs.length] : null;
}

list?.addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (tab) select(tab);
});
list?.addEventListener("keydown", (event) => {
  const next = moved(event.target.closest('[role="tab"]'), event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
  select(next);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-panel]");
  if (opener) {
    const tab = document.getElementById(`tab-${opener.dataset.panel}`);
    select(tab, opener.dataset.url);
    tab.focus();
  }
  const clearer = event.target.closest("[data-clear]");
  if (clearer) clear(document.getElementById(clearer.dataset.clear));
  if (clearer?.dataset.then) document.getElementById(clearer.dataset.then).click();
});

function clear(area) {
  for (const field of area.querySelectorAll("input")) {
    if (field.value === "" || field.type === "checkbox") continue;
    if (field.list && !field.name.includes("number")) continue; // the time zone may stay
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  for (const note of area.querySelectorAll(".error")) note.remove();
}

let inHand = null;
document.addEventListener("desk:in_hand", (event) => {
  const gone = inHand && inHand.some((id) => !event.detail.includes(id));
  inHand = event.detail;
  if (gone) setTimeout(renew, RECORDED_AFTER_MS);
});

function renew() {
  for (const [name, button] of Object.entries(AGAIN)) {
    const panel = document.getElementById(`panel-${name}`);
    if (!panel) continue;
    if (panel.hidden) loaded.delete(panel.id);
    else if (!panel.contains(document.activeElement)) panel.querySelector(button)?.click();
  }
}

addEventListener("load", () => {
  const before = document.getElementById(sessionStorage.getItem(REMEMBERED) || "");
  if (tabs.length) select(tabs.includes(before) ? before : tabs[0]);
});
