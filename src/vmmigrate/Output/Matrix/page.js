"use strict";
// Everything that came from a file is set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const table = document.querySelector("table.grid"), body = table.tBodies[0], headRow = table.tHead.rows[0], tip = document.getElementById("tip");
const words = { y: "yes", u: "unproven", n: "no" };
const size = data.hosts.length;
const cellOf = [], rowOf = [], colOf = [];
for (let i = 0; i < size; i++) { rowOf.push(body.rows[i]); colOf.push(headRow.cells[i + 1]); cellOf.push([...body.rows[i].cells].slice(1)); }
for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) { cellOf[i][j].from = i; cellOf[i][j].to = j; }
let order = data.hosts.map((_, i) => i), visible = order, pinned = null, shown = null;

function pairOf(i, j) { return i === j ? null : data.pairs[data.hosts[i].group * data.groups + data.hosts[j].group]; }
function make(tag, text, css) { const e = document.createElement(tag); if (text) e.textContent = text; if (css) e.className = css; return e; }

function describe(i, j, all) {
  const from = data.hosts[i], to = data.hosts[j], pair = pairOf(i, j), parts = [];
  const title = make("h3");
  title.append(make("bdi", from.name));
  if (i !== j) title.append(" → ", make("bdi", to.name));
  parts.push(title);
  if (!pair) { parts.push(make("p", from.about + ", " + from.evidence + (from.features ? "; its VM: " + from.features : ""), "meta")); return parts; }
  const meta = make("p", "", "meta");
  meta.append(make("span", words[pair.verdict], "badge " + pair.verdict), " evidence " + pair.evidence
    + (pair.stops ? ", " + pair.stops + (pair.stops === 1 ? " finding stops it" : " findings stop it") : ""));
  parts.push(meta);
  const list = make("ol");
  const told = all ? pair.reasons : pair.reasons.slice(0, 3);
  for (const number of told) {
    const reason = data.reasons[number], item = make("li");
    item.append(make("b", reason.code), " " + reason.subject);
    if (reason.here || reason.there) item.append(make("div", (reason.here || "") + (reason.there ? (reason.here ? " ⇢ " : "") + reason.there : "") + (reason.answer ? " (" + reason.answer + ")" : "")));
    if (reason.remedy) item.append(make("p", reason.remedy, "fix"));
    list.append(item);
  }
  const left = Math.max(pair.stops, pair.reasons.length) - told.length;
  if (left > 0) list.append(make("li", "and " + left + " more: " + (all ? "vmmigrate check" : "click or Enter"), "soft"));
  if (pair.verdict === "y") list.append(make("li", "The guest cannot tell."));
  parts.push(list);
  return parts;
}

function mark(cell, on) {
  for (const k of visible) { cellOf[cell.from][k].classList.toggle("x", on); cellOf[k][cell.to].classList.toggle("x", on); }
  rowOf[cell.from].cells[0].classList.toggle("x", on); colOf[cell.to].classList.toggle("x", on);
}
function show(cell) {
  if (shown) mark(shown, false);
  shown = cell; mark(cell, true);
  const parts = describe(cell.from, cell.to, pinned === cell);
  cell.setAttribute("aria-label", parts.map(p => p.textContent).join(". "));
  tip.replaceChildren(...parts); tip.hidden = false; tip.classList.toggle("pin", pinned === cell);
  const at = cell.getBoundingClientRect(), box = tip.getBoundingClientRect(), gap = 10;
  const left = at.right + gap + box.width < innerWidth ? at.right + gap : Math.max(8, at.left - gap - box.width);
  tip.style.left = left + "px"; tip.style.top = Math.max(8, Math.min(at.top - 8, innerHeight - box.height - 8)) + "px";
}
function hide() { if (shown) mark(shown, false); shown = null; tip.hidden = true; if (pinned) { pinned.classList.remove("pin"); pinned = null; } }
function pin(cell) { const again = pinned === cell; hide(); if (again) return; pinned = cell; cell.classList.add("pin"); show(cell); }

const isCell = e => e.target.closest && e.target.closest("td");
body.addEventListener("mouseover", e => { const cell = isCell(e); if (cell && !pinned) show(cell); });
body.addEventListener("mouseleave", () => { if (!pinned) hide(); });
body.addEventListener("focusin", e => { const cell = isCell(e); if (cell && pinned !== cell && cell.matches(":focus-visible")) { if (pinned) hide(); show(cell); } });
body.addEventListener("focusout", () => { if (!pinned) hide(); });
body.addEventListener("click", e => { const cell = isCell(e); if (cell) { enter(cell); pin(cell); } });
document.addEventListener("click", e => { if (pinned && !tip.contains(e.target) && !body.contains(e.target)) hide(); });
document.addEventListener("keydown", e => { if (e.key === "Escape") hide(); });
document.querySelector(".scroll").addEventListener("scroll", () => { if (shown) show(shown); });

let entry = null;
function enter(cell) { if (entry) entry.tabIndex = -1; entry = cell; cell.tabIndex = 0; }
body.addEventListener("keydown", e => {
  const cell = isCell(e);
  if (!cell) return;
  if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pin(cell); return; }
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -size], End: [0, size], PageUp: [-10, 0], PageDown: [10, 0] }[e.key];
  if (!step) return;
  e.preventDefault();
  const clamp = n => Math.max(0, Math.min(visible.length - 1, n));
  const next = cellOf[visible[clamp(visible.indexOf(cell.from) + step[0])]][visible[clamp(visible.indexOf(cell.to) + step[1])]];
  enter(next); next.focus(); next.scrollIntoView({ block: "nearest", inline: "nearest" });
});

const find = document.getElementById("find"), sort = document.getElementById("order"), alike = document.getElementById("alike");
const score = i => data.hosts.reduce((sum, _, j) => { const a = pairOf(i, j), b = pairOf(j, i); return sum + (a ? (a.verdict !== "n") + (b.verdict !== "n") + (a.verdict === "y") / 4 + (b.verdict === "y") / 4 : 0); }, 0);
const byName = (a, b) => data.hosts[a].name.localeCompare(data.hosts[b].name, undefined, { numeric: true });
function arrange() {
  hide();
  order = data.hosts.map((_, i) => i);
  if (sort.value === "name") order.sort(byName);
  if (sort.value === "best") { const scores = order.map(score); order.sort((a, b) => scores[b] - scores[a] || data.hosts[a].group - data.hosts[b].group || a - b); }
  const wanted = find.value.trim().toLowerCase(), groups = new Set();
  visible = order.filter(i => {
    const host = data.hosts[i], first = !groups.has(host.group);
    const keep = (!wanted || (host.name + " " + host.about).toLowerCase().includes(wanted)) && (!alike.checked || first);
    if (keep) groups.add(host.group);
    return keep;
  });
  const keep = new Set(visible);
  headRow.append(...order.map(i => colOf[i]));
  for (const i of order) { rowOf[i].append(...order.map(j => cellOf[i][j])); rowOf[i].hidden = !keep.has(i); colOf[i].hidden = !keep.has(i); for (const j of order) cellOf[i][j].hidden = !keep.has(j); }
  body.append(...order.map(i => rowOf[i]));
  if (visible.length) enter(cellOf[visible[0]][visible[0]]);
}
find.addEventListener("input", arrange); sort.addEventListener("change", arrange); alike.addEventListener("change", arrange);
if (data.groups < size) document.querySelector(".alike").hidden = false;

const toggles = [...document.querySelectorAll("[data-only], [data-reason], [data-code]")];
function only(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  for (const t of toggles) t.setAttribute("aria-pressed", String(on && t === button));
  table.classList.toggle("dim", on);
  const { only: verdict, reason, code } = button.dataset;
  const wanted = pair => verdict ? pair.verdict === verdict : code ? pair.reasons.length > 0 && data.reasons[pair.reasons[0]].code === code : pair.reasons.includes(Number(reason));
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
    const pair = pairOf(i, j);
    cellOf[i][j].classList.toggle("keep", on && !!pair && wanted(pair));
  }
  if (on && reason) document.getElementById("grid-title").scrollIntoView({ behavior: "smooth", block: "start" });
}
for (const t of toggles) t.addEventListener("click", () => only(t));
enter(cellOf[0][0]);
