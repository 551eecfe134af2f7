// Sounds and notifications of the browser, per kind of event; what each person wants is kept in his browser.
// Tones are made here: no files. `desk:notice` brings {kind, text}; while a contact request rings, its tone is repeated.

const STORE = "desk.sounds";
const AGAIN_MS = 3000;
const GRANTED_MS = 500; // a browser that lets us play has begun by then
// Frequency in Hz and length in ms of each tone; 0 Hz is silence.
const TONES = {
  offer: [[660, 180], [880, 180], [0, 60], [660, 180], [880, 260]],
  consult: [[520, 160], [0, 60], [520, 160], [0, 60], [780, 260]],
  rona: [[440, 220], [330, 220], [262, 420]],
  preview: [[700, 120], [900, 180]],
  callback_prompted: [[588, 160], [740, 160], [880, 280]],
  callback_held: [[494, 240], [392, 240]],
  callback_retrieved: [[392, 160], [494, 240]],
  callback_ended: [[392, 160], [330, 160], [262, 240]],
  campaign: [[784, 120], [0, 60], [784, 120]],
  failed: [[300, 220], [0, 60], [300, 260]],
};
const dialog = document.getElementById("sounds");
const title = document.title;
let chosen = read();
let context = null;
let ringing = 0;

function read() {
  try {
    return { volume: 0.5, off: [], notify: true, ...JSON.parse(localStorage.getItem(STORE) || "{}") };
  } catch {
    return { volume: 0.5, off: [], notify: true };
  }
}

function play(kind) {
  if (!chosen.volume || chosen.off.includes(kind) || !TONES[kind]) return;
  if (!mayPlay()) return sayMute();
  context ||= new AudioContext();
  context.resume();
  if (context.state !== "running") setTimeout(giveUp, GRANTED_MS);
  let at_s = context.currentTime + 0.02;
  for (const [hz, ms] of TONES[kind]) {
    if (hz) tone(hz, at_s, ms / 1000);
    at_s += ms / 1000;
  }
}

// Browsers allow none before a click, but in a frame that was allowed `autoplay` by a page in which somebody has clicked.
function mayPlay() {
  const isFramed = document.documentElement.classList.contains("framed");
  return isFramed || !navigator.userActivation || navigator.userActivation.hasBeenActive;
}

// Said when a sound was due, once; whoever touches the page has read it or needs it no more.
let mute = null;

function sayMute() {
  if (mute || !dialog) return;
  document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: "error", title: dialog.dataset.mute } }));
  mute = [...document.querySelectorAll(".message")].findLast((one) => one.querySelector("strong").textContent === dialog.dataset.mute);
}

// What was not allowed to play would wait, and be heard all at once later.
function giveUp() {
  if (!context || context.state === "running") return;
  context.close();
  context = null;
  sayMute();
}

for (const touched of ["pointerup", "keydown"]) {
  addEventListener(touched, () => {
    mute?.remove();
    mute = null;
  });
}

function tone(hz, at_s, for_s) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hz;
  gain.gain.setValueAtTime(0, at_s);
  gain.gain.linearRampToValueAtTime(chosen.volume * 0.4, at_s + 0.015);
  gain.gain.setValueAtTime(chosen.volume * 0.4, at_s + for_s - 0.03);
  gain.gain.linearRampToValueAtTime(0, at_s + for_s);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at_s);
  oscillator.stop(at_s + for_s);
}

document.addEventListener("desk:notice", (event) => {
  const { kind, text, is_said: isSaid } = event.detail;
  play(kind);
  if (isSaid) document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: kind === "failed" ? "error" : "done", title: text } }));
  if (!document.hidden || chosen.off.includes(kind)) return;
  document.title = `● ${text}`;
  if (chosen.notify && "Notification" in window && Notification.permission === "granted") {
    const shown = new Notification(text, { tag: `switchroom-${kind}`, icon: document.querySelector("link[rel=icon]").href });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
    });
  }
});
document.addEventListener("visibilitychange", () => document.hidden || (document.title = title));

// The contact request rings until it is answered or over.
function ring() {
  const kind = document.querySelector("[data-ringing]")?.dataset.ringing;
  if (!kind || kind === "outdial") {
    clearInterval(ringing);
    ringing = 0;
    if (document.title !== title && !document.hidden) document.title = title;
    return;
  }
  const named = { consult: "consult", callback: "callback_prompted" }[kind] || "offer";
  ringing ||= setInterval(() => play(named), AGAIN_MS);
}
document.body.addEventListener("htmx:sseMessage", ring);

// ------------------------------------------------------------------ what he wants

function fill() {
  dialog.querySelector("[name=volume]").value = chosen.volume * 100;
  dialog.querySelector("[name=notify]").checked = chosen.notify;
  for (const box of dialog.querySelectorAll("[name=kind]")) box.checked = !chosen.off.includes(box.value);
}

function keep() {
  const boxes = [...dialog.querySelectorAll("[name=kind]")];
  chosen = {
    volume: Number(dialog.querySelector("[name=volume]").value) / 100,
    notify: dialog.querySelector("[name=notify]").checked,
    off: boxes.filter((box) => !box.checked).map((box) => box.value),
  };
  localStorage.setItem(STORE, JSON.stringify(chosen));
}

const permission = () => ("Notification" in window ? Notification.permission : "granted");

async function ask() {
  if (permission() === "default") await Notification.requestPermission();
  tellPermission();
}

function tellPermission() {
  for (const one of dialog.querySelectorAll("[data-permission]")) one.hidden = one.dataset.permission !== permission();
}

if (dialog) {
  fill();
  tellPermission();
  dialog.addEventListener("change", (event) => {
    keep();
    if (event.target.name === "notify" && event.target.checked) ask();
  });
  dialog.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-try]")?.dataset.try;
    if (kind) play(kind);
    if (event.target.closest("button[data-permission]")) ask();
  });
}
