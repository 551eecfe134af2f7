// The charts of the wallboard: what the region "charts" tells, kept for an hour, drawn with uPlot.

const card = document.getElementById("charts-card");
const KEPT = "switchroom.charts";
const STEP_S = 5;
const SHOWN = 8; // lines that are shown unless somebody chooses others
const DASHES = [[], [7, 4], [2, 3], [11, 4, 2, 4], [14, 5], [1, 3], [9, 3, 3, 3]];
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const count = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });

const charts = card ? [...card.querySelectorAll("[data-chart]")].map((figure) => ({ figure, name: figure.dataset.chart, hidden: new Set(), ids: "", plot: null })) : [];
const span_s = card ? Number(card.dataset.minutes) * 60 : 0;
let labels = {}; // chart -> id -> text
let samples = []; // {t: seconds, waiting: {id: number}, service_level: {}, agents: {}}, by t
let now = null; // what the next sample holds

function remember() {
  const seeded = JSON.parse(card.dataset.seed || "[]").map((one) => ({ t: Date.parse(one.until) / 1000, waiting: {}, service_level: { [one.id]: one.service_level }, agents: {} }));
  let kept = [];
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
  } catch {
    // What another version kept is of no use.
  }
  const first = kept.length ? kept[0].t : Infinity;
  samples = [...seeded.filter((one) => one.t < first), ...kept].sort((a, b) => a.t - b.t);
  forget();
}

function forget() {
  const oldest = Date.now() / 1000 - span_s;
  samples = samples.filter((one) => one.t >= oldest);
}

function told(values) {
  if (!values.queues) return;
  const of = (list, field) => Object.fromEntries(list.map((one) => [one.id, one[field]]));
  const names = of(values.queues, "label");
  labels = { waiting: names, service_level: names, agents: of(values.agents, "label") };
  now = { waiting: of(values.queues, "waiting"), service_level: of(values.queues, "service_level"), agents: of(values.agents, "count") };
  card.hidden = false;
  sample();
}

function sample() {
  if (!now) return;
  samples.push({ t: Date.now() / 1000, ...now });
  forget();
  if (!document.hidden) charts.forEach(draw);
}

function rebuild(chart, ids) {
  chart.ids = ids.join("\n");
  chart.plot?.destroy();
  const most = (id) => Math.max(0, ...samples.map((one) => one[chart.name][id] ?? 0));
  if (!chart.chosen) {
    const busiest = [...ids].sort((a, b) => most(b) - most(a)).slice(0, SHOWN);
    ids.filter((id) => !busiest.includes(id)).forEach((id) => chart.hidden.add(id));
    chart.chosen = true;
  }
  const legend = chart.figure.querySelector(".legend");
  legend.replaceChildren(...ids.map((id, place) => entry(chart, id, place)));
  const colors = [...legend.querySelectorAll("svg")].map((swatch) => getComputedStyle(swatch).color);
  const style = getComputedStyle(chart.figure);
  const line = getComputedStyle(chart.figure.querySelector(".plot")).borderTopColor;
  const letters = { stroke: style.color, font: `${Math.round(parseFloat(style.fontSize) * 0.8)}px ${style.fontFamily}`, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const unit = chart.figure.dataset.unit;
  chart.plot = new uPlot(
    {
      ...size(chart),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: true, range: seen }, y: { range: (_plot, _least, high) => [0, unit === "%" ? 100 : Math.max(4, Math.ceil(high * 1.1))] } },
      axes: [
        { ...letters, space: 72, size: 30, values: (_plot, at) => at.map((s) => clock.format(s * 1000)) },
        { ...letters, size: 44, values: (_plot, at) => at.map((value) => (Number.isInteger(value) ? count.format(value) + unit : "")) },
      ],
      series: [{}, ...ids.map((id, place) => ({ label: labels[chart.name][id] ?? id, stroke: colors[place], width: 2, dash: DASHES[place % DASHES.length], spanGaps: true, points: { show: false }, show: !chart.hidden.has(id) }))],
    },
    data(chart, ids),
    chart.figure.querySelector(".plot"),
  );
}

// What is known, at least ten minutes of it: an hour that is empty says nothing.
function seen() {
  const until = Date.now() / 1000;
  return [Math.max(until - span_s, Math.min(samples[0]?.t ?? until, until - 600)), until];
}

function entry(chart, id, place) {
  const item = document.createElement("li");
  const label = item.appendChild(document.createElement("label"));
  const box = label.appendChild(document.createElement("input"));
  box.type = "checkbox";
  box.id = `line-${chart.name}-${id}`;
  box.checked = !chart.hidden.has(id);
  box.addEventListener("change", () => {
    box.checked ? chart.hidden.delete(id) : chart.hidden.add(id);
    chart.plot.setSeries(place + 1, { show: box.checked });
  });
  const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  swatch.setAttribute("class", `line-${(place % SHOWN) + 1}`);
  swatch.setAttribute("viewBox", "0 0 28 8");
  swatch.setAttribute("aria-hidden", "true");
  const path = swatch.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  path.setAttribute("d", "M0 4h28");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", "2.5");
  path.setAttribute("stroke-dasharray", DASHES[place % DASHES.length].join(" "));
  label.append(swatch, labels[chart.name][id] ?? id);
  return item;
}

function data(chart, ids) {
  return [samples.map((one) => one.t), ...ids.map((id) => samples.map((one) => one[chart.name][id] ?? null))];
}

// Of states those in which somebody was; of queues all.
function idsOf(chart) {
  const all = Object.keys(labels[chart.name] ?? {});
  return chart.name === "agents" ? all.filter((id) => samples.some((one) => one.agents[id])) : all;
}

function draw(chart) {
  const ids = idsOf(chart);
  if (chart.ids !== ids.join("\n") || !chart.plot) rebuild(chart, ids);
  else chart.plot.setData(data(chart, ids));
}

function size(chart) {
  const width = chart.figure.clientWidth;
  return { width, height: Math.max(170, Math.round(width * 0.42)) };
}

function again() {
  for (const chart of charts) chart.ids = "";
  if (now) charts.forEach(draw);
}

if (card) {
  remember();
  document.addEventListener("desk:charts", (event) => told(event.detail));
  setInterval(sample, STEP_S * 1000);
  new ResizeObserver(() => charts.forEach((chart) => chart.plot?.setSize(size(chart)))).observe(card);
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.addEventListener("visibilitychange", () => document.hidden || (now && charts.forEach(draw)));
  addEventListener("pagehide", () => sessionStorage.setItem(KEPT, JSON.stringify(samples)));
}
