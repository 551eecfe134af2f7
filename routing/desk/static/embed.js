// The desk in a frame: tells the page around it what happens, and takes what it asks for. docs/desk.md is the contract.
// Both only with the origins that the server has named; what may be done, the server decides.

const VERSION = 1;
const allowed = JSON.parse(document.querySelector('meta[name="desk-origins"]').content);
const held = document.querySelector('meta[name="desk-token"]'); // desk.js renews it
// Where the browser tells who is around, messages to the others need not be tried.
const around = window.location.ancestorOrigins?.[0];
const origins = around ? allowed.filter((origin) => origin === around) : allowed;
const known = new Map(); // calls, by id
let agent = null;

function tell(type, about = {}) {
  for (const origin of origins) window.parent.postMessage({ source: "switchroom", version: VERSION, type, ...about }, origin);
}

// ------------------------------------------------------------------ outgoing

document.addEventListener("desk:frame", (event) => {
  const { agent: now, calls } = event.detail;
  const isFirst = agent === null;
  const before = JSON.stringify(agent);
  agent = now;
  if (isFirst) tell("ready", { agent, calls });
  else if (JSON.stringify(agent) !== before) tell("state", { agent });
  for (const call of calls) follow(call);
  const there = new Set(calls.map((call) => call.interaction_id));
  for (const [id, call] of known) {
    if (there.has(id)) continue;
    known.delete(id);
    tell("ended", { call: { ...call, phase: "ended" } });
  }
});

function follow(call) {
  const before = known.get(call.interaction_id);
  known.set(call.interaction_id, call);
  if (before?.phase !== call.phase && ["offer", "connected", "wrap_up"].includes(call.phase)) tell(call.phase, { call });
  if (call.screen_pop && before?.screen_pop !== call.screen_pop) tell("screen_pop", { call, url: call.screen_pop });
}

document.addEventListener("desk:over", () => tell("signed_out"));
document.addEventListener("desk:again", () => tell("ready", { agent, calls: [...known.values()] }));
if (!held.content) tell("signed_out"); // a page that says so
else if (!document.querySelector("[data-region='frame']")) tell("ready", { agent: null, calls: [] });

// ------------------------------------------------------------------ incoming

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || !allowed.includes(event.origin)) return;
  const asked = event.data;
  if (asked?.target !== "switchroom" || asked.version !== VERSION || typeof asked.type !== "string") return;
  const done = (result) => tell("result", { id: asked.id ?? null, to: asked.type, ...result });
  if (asked.type === "focus_interaction") done(focus(String(asked.interaction_id)));
  else if (asked.type === "get_state") done({ ok: true, agent, calls: [...known.values()] });
  else if (asked.type === "click_to_call") send(asked, ["number", "ani", "name"]).then(done);
  else if (asked.type === "set_state") send(asked, ["state", "reason"]).then(done);
  else done({ ok: false, code: "unknown-type" });
});

function focus(id) {
  const card = document.getElementById(`call-${id}`) || document.getElementById(`offer-${id}`);
  if (!card) return { ok: false, code: "interaction-unknown" };
  card.tabIndex = -1;
  card.focus();
  card.scrollIntoView({ block: "start" });
  return { ok: true };
}

async function send(asked, fields) {
  const form = new URLSearchParams();
  for (const field of fields) if (typeof asked[field] === "string") form.set(field, asked[field]);
  const headers = { "X-Desk-Token": held.content, "HX-Request": "true" };
  try {
    const answer = await fetch(`/desk/frame/${asked.type}`, { method: "POST", body: form, headers, redirect: "error" });
    if (answer.status === 401) {
      document.dispatchEvent(new CustomEvent("desk:refused"));
      return { ok: false, code: "unauthenticated" };
    }
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    const result = isJson ? await answer.json() : { ok: false, code: answer.headers.get("X-Desk-Problem") ?? "failed" };
    if (!result.ok && result.title) {
      document.dispatchEvent(new CustomEvent("desk:say", { detail: { kind: "error", title: result.title, detail: result.detail } }));
    }
    return result;
  } catch {
    return { ok: false, code: "not-sent" };
  }
}
