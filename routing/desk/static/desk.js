// Shared by every page: the token with each request, the stream's events that are no HTML, the connection, messages.
// Scripts talk by events on the document: `desk:clock` (the server's clock before ours, in ms), `desk:notice`,
// `desk:NAME` for regions of data, `desk:say` ({kind, title, detail}) to show a message, `desk:answer` (HTML of the
// server) to show those in it, `desk:over` when the session has ended, `desk:again` when the same person has signed in again, `desk:refused` where a script was told 401.

const body = document.body;
const held = document.querySelector('meta[name="desk-token"]'); // another one after the same person has signed in again
const person = document.querySelector('meta[name="desk-person"]').content;
const banner = document.getElementById("connection");
const LOST_AFTER_MS = 2500; // a stream that ends by itself is back after `retry`: 2 s
const SHOWN_MS = 6000;
const MOST_MESSAGES = 5;
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

// ------------------------------------------------------------------ requests

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-Desk-Token"] = held.content;
  event.detail.headers["Idempotency-Key"] = newKey();
});
body.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  event.preventDefault(); // it would lead away from what is typed
  askWhy(() => say("error", banner.dataset.notSent));
});
// What has become of an order is said, too, when its button has gone meanwhile: htmx finds no place for the answer then.
body.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, xhr } = event.detail;
  const finish = xhr.onload;
  xhr.onload = () => {
    if (elt.isConnected || !xhr.getResponseHeader("HX-Retarget")) finish();
    else sayAnswer(xhr.response);
  };
});

// Messages as the server has written them.
function sayAnswer(html) {
  place().append(...new DOMParser().parseFromString(html, "text/html").querySelectorAll(".message"));
}
document.addEventListener("desk:answer", (event) => sayAnswer(event.detail));

body.addEventListener("htmx:sendError", () => say("error", banner.dataset.notSent));
body.addEventListener("htmx:timeout", () => say("error", banner.dataset.notSent));
body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401) say("error", banner.dataset.failed, String(event.detail.xhr.status));
});

// ------------------------------------------------------------------ the stream

const heard = new WeakSet();
let timer = 0;
let isLost = false;
let isOver = false;

body.addEventListener("htmx:sseOpen", (event) => {
  const source = event.detail.source;
  if (!heard.has(source)) listen(source);
  clearTimeout(timer);
  timer = 0;
  isLost = false;
  showBack();
});
body.addEventListener("htmx:sseError", (event) => {
  isLost = true;
  timer ||= setTimeout(() => !isOver && show(banner.dataset.lost, "lost"), LOST_AFTER_MS);
  if (event.detail.source?.isRefused) askWhy();
});
addEventListener("offline", () => !isOver && show(banner.dataset.lost, "lost"));
addEventListener("online", () => !isLost && showBack());

function showBack() {
  if (banner.hidden || isOver) return;
  show(banner.dataset.back, "back");
  setTimeout(() => banner.classList.contains("back") && (banner.hidden = true), SHOWN_MS / 2);
}

function listen(source) {
  heard.add(source);
  source.addEventListener("clock", (event) => {
    if (event.lastEventId && event.lastEventId !== person) return over(); // somebody else has signed in in this browser
    tell("desk:clock", Number(event.data) - Date.now());
    if (document.documentElement.dataset.ready) return;
    document.documentElement.dataset.ready = "yes";
    performance.mark("desk-ready"); // the scripts have run and the stream speaks
  });
  source.addEventListener("notice", (event) => tell("desk:notice", JSON.parse(event.data)));
  for (const region of document.querySelectorAll(".region[hidden][data-region]")) {
    const name = region.dataset.region;
    source.addEventListener(name, (event) => tell(`desk:${name}`, JSON.parse(event.data)));
  }
}

// Whose session this browser has now: nobody's, another person's, or a new one of the same.
async function askWhy(ifHis = () => {}) {
  try {
    const answer = await fetch("/desk/who", { headers: { "HX-Request": "true" }, redirect: "manual" });
    if (answer.status === 401) return over();
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return;
    const who = await answer.json();
    if (who.person !== person) return over();
    held.content = who.token;
    for (const field of document.querySelectorAll("input[name=form_token]")) field.value = who.token;
    if (isOver) again();
    ifHis();
  } catch {
    // The server does not answer: the stream is tried again.
  }
}

function over() {
  if (isOver) return;
  isOver = true;
  const link = banner.querySelector("a"); // none in a frame of another site: that site opens the desk anew
  if (link) {
    link.hidden = false;
    link.target = document.querySelector("form.changed") ? "_blank" : ""; // what is typed stays where it is
  }
  show(banner.dataset.over, "error");
  tell("desk:over");
}

function again() {
  isOver = false;
  const link = banner.querySelector("a");
  if (link) link.hidden = true;
  showBack();
  tell("desk:again");
}

document.addEventListener("desk:refused", () => askWhy());
for (const name of ["focus", "visibilitychange"]) addEventListener(name, () => isOver && !document.hidden && askWhy());

function show(text, kind) {
  body.classList.toggle("lost", kind === "lost");
  banner.classList.remove("lost", "back", "error");
  banner.classList.add(kind);
  banner.hidden = false;
  banner.querySelector("span").textContent = text;
}

// In a narrow bar the page where one is may be out of sight.
document.querySelector("header nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// ------------------------------------------------------------------ messages

// A modal dialog covers the page: what is said about it is said in it.
function place() {
  const inside = document.querySelectorAll("dialog[open] [data-messages]");
  return inside[inside.length - 1] || document.getElementById("messages");
}

function say(kind, title, detail = "") {
  const message = document.getElementById("message").content.firstElementChild.cloneNode(true);
  message.classList.add(kind);
  if (kind === "error") message.setAttribute("role", "alert");
  message.querySelector("strong").textContent = title;
  message.querySelector("span").textContent = detail;
  place().append(message);
}
document.addEventListener("desk:say", (event) => say(event.detail.kind, event.detail.title, event.detail.detail));

body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "messages") event.detail.target = place();
});
const messages = new MutationObserver((changes) => {
  for (const added of changes.flatMap((change) => [...change.addedNodes])) {
    if (!(added instanceof Element) || !added.matches(".message")) continue;
    if (!added.matches(".error")) setTimeout(() => added.remove(), SHOWN_MS);
    while (added.parentElement.childElementCount > MOST_MESSAGES) added.parentElement.firstElementChild.remove();
  }
});
messages.observe(body, { childList: true, subtree: true });
body.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".message")?.remove());
