// Clocks: `data-since` counts up, `data-until` counts down to 0, both by the server's clock. Nothing is asked for.
// `data-late`: this class is set on the clock when a countdown has `data-late-s` (default 10) seconds left.

// The reader's time zone goes along with every request: dates and times of day are written by the server.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const rules = document.documentElement.classList.contains("framed") ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
if (zone) document.cookie = `switchroom_zone=${zone}; path=/desk; max-age=31536000; ${rules}`;

let ahead_ms = 0;
document.addEventListener("desk:clock", (event) => {
  ahead_ms = event.detail;
  tick();
});

function shown(whole) {
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const seconds = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

function write(clock, now_ms) {
  const { since, until } = clock.dataset;
  const at_ms = Date.parse(since || until || "");
  if (Number.isNaN(at_ms)) return;
  const span_ms = since ? now_ms - at_ms : at_ms - now_ms;
  const left_s = Math.max(0, since ? Math.floor(span_ms / 1000) : Math.ceil(span_ms / 1000));
  const text = shown(left_s);
  if (clock.textContent !== text) clock.textContent = text;
  if (until) clock.classList.toggle("late", left_s <= Number(clock.dataset.lateS || 10));
}

function tick() {
  const now_ms = Date.now() + ahead_ms;
  for (const clock of document.querySelectorAll("time[data-since], time[data-until]")) write(clock, now_ms);
}

tick();
setInterval(tick, 500);
// A region that has just come must not stand empty until the next tick.
for (const name of ["htmx:sseMessage", "htmx:afterSettle"]) document.body.addEventListener(name, tick);
