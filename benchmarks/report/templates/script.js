"use strict";
const all = (what, within = document) => [...within.querySelectorAll(what)];
const byId = (id) => document.getElementById(id);

// Tables sort by a click on a heading: by a cell's value, by the number and unit that its text begins with, or as text.
const units = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, B: 1, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 };
const value = (text) => {
  const found = /^[<~+]*\s*(-?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s*([a-zA-Z]*)/.exec(text.trim());
  return found ? Number(found[1].replaceAll(",", "")) * (units[found[2]] ?? 1) : NaN;
};
for (const button of all("table.sortable thead button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement, row = heading.parentElement, body = heading.closest("table").tBodies[0];
    const place = [...row.children].indexOf(heading), up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of row.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = [...body.rows].map((each) => {
      const { dataset } = each.cells[place], text = said(each.cells[place]);
      return [dataset.value === undefined ? value(text) : Number(dataset.value), text, each];
    });
    keyed.sort(([x, a], [y, b]) => {
      if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1; // what is no number goes last, either way
      return (isNaN(x) ? a.localeCompare(b) : x - y) * (up ? 1 : -1);
    });
    body.append(...keyed.map((each) => each[2]));
  });
}

// A cell's text, without the link to its row.
const said = (cell) => [...cell.childNodes].filter((each) => !each.classList?.contains("anchor")).map((each) => each.textContent).join("").trim();

// Rows have addresses, and links to them, once their table is open.
const address = (table) => {
  if (table.dataset.addressed) return;
  table.dataset.addressed = "yes";
  all("tbody tr", table).forEach((row, place) => {
    row.id = `${table.id}-row-${place + 1}`;
    const link = Object.assign(document.createElement("a"), { className: "anchor", href: `#${row.id}`, textContent: "#" });
    link.setAttribute("aria-label", `Link to the row ${said(row.cells[0])}`);
    row.cells[0].append(" ", link);
  });
};

// What an address leads to is opened; that of a case's samples draws them.
const go = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  if (name.startsWith("samples=")) return choose(name.slice(8));
  const table = /^(.+-table-\d+)-row-\d+$/.exec(name);
  if (table && byId(table[1])) address(byId(table[1]));
  const found = byId(name);
  for (let each = found; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  if (table && found) found.scrollIntoView({ block: "center" });
};
addEventListener("hashchange", go);

// One search for all tables: those with a row that has all the words open, the others go.
byId("search").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  let rows = 0, tables = 0;
  for (const table of all("details.table")) {
    let here = 0;
    for (const row of all("tbody tr", table)) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      here += !row.hidden;
    }
    table.hidden = words.length > 0 && !here;
    if (words.length) table.open = here > 0;
    rows += here;
    tables += here > 0;
  }
  byId("found").textContent = words.length ? `${rows} rows in ${tables} tables` : "";
});

// A series is highlighted in every picture and table: while the pointer or the focus is on it, or until another is chosen.
const names = [...new Set(all("[data-series]").map((each) => each.dataset.series))].sort();
const pick = byId("highlight");
pick.append(...names.map((name) => new Option(name, name)));
const seriesOf = (row) => {
  const text = said(row.cells[0]).replace(/ \(held back\)$/, "");
  const mine = names.filter((name) => text === name || text.startsWith(`${name}-`));
  return mine.sort((a, b) => b.length - a.length)[0] ?? "";
};
let shining = "";
const light = (name, again = false) => {
  if (name === shining && !again) return;
  shining = name;
  document.body.classList.toggle("lighting", Boolean(name));
  for (const each of all("[data-series]")) each.classList.toggle("lit", each.dataset.series === name);
  for (const row of all("details.table[open] tbody tr")) row.classList.toggle("lit", Boolean(name) && seriesOf(row) === name);
};
for (const table of all("details.table")) {
  table.addEventListener("toggle", () => {
    if (table.open) address(table);
    light(shining, true);
  });
}
const under = (target) => {
  const drawn = target.closest?.("[data-series]"), row = target.closest?.("tbody tr");
  return drawn ? drawn.dataset.series : row && row.closest("details.table") ? seriesOf(row) : "";
};
pick.addEventListener("change", () => light(pick.value));
for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => light(under(event.target) || pick.value));
document.addEventListener("click", (event) => {
  const drawn = event.target.closest?.("[data-series]");
  if (drawn) light((pick.value = pick.value === drawn.dataset.series ? "" : drawn.dataset.series));
});

// What is copied: a command, or the rows of a table that are shown, as Markdown.
const copy = async (button, text, element) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from a file may not write the clipboard: select it instead
    getSelection().selectAllChildren(element);
  }
  button.textContent = "Copied";
};
for (const button of all("button.copy")) {
  const code = button.parentElement.querySelector("code");
  button.addEventListener("click", () => copy(button, code.textContent, code));
}
const markdown = (table) => {
  const cells = (row) => [...row.cells].map((cell) => said(cell).replaceAll("|", "\\|").replaceAll("\n", " "));
  const line = (texts) => `| ${texts.join(" | ")} |`;
  const head = table.tHead ? [...table.tHead.rows[0].cells] : [...table.tBodies[0].rows[0].cells];
  const titles = table.tHead ? cells(table.tHead.rows[0]) : head.map(() => "");
  const marks = head.map((cell) => (cell.classList.contains("right") ? "---:" : "---"));
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  return [line(titles), line(marks), ...rows.map((row) => line(cells(row)))].join("\n");
};
for (const button of all("button.markdown")) {
  button.addEventListener("click", () => {
    const table = button.closest("details").querySelector("table");
    copy(button, (button.dataset.copied = markdown(table)), table);
  });
}

// A case's samples: a row of dots for each round, the median and its interval behind them.
const runs = JSON.parse(byId("samples").textContent), cases = byId("case");
const duration = (s) => {
  const [name, one] = [["s", 1], ["ms", 1e-3], ["us", 1e-6], ["ns", 1e-9]].find(([, unit]) => s >= unit) ?? ["ns", 1e-9];
  return `${Number((s / one).toPrecision(3))} ${name}`;
};
const element = (name, attributes, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, each] of Object.entries(attributes)) made.setAttribute(key, each);
  made.textContent = text;
  return made;
};
const distribution = (title, { rounds, median: [middle, low, high] }) => {
  const samples = rounds.flat(), left = 70, width = 600, row = 16, height = rounds.length * row + 12;
  const from = Math.min(low, ...samples), to = Math.max(high, ...samples), span = to - from || from || 1;
  const x = (s) => left + ((s - from) / span) * (width - left - 50);
  const drawing = element("svg", { viewBox: `0 0 ${width} ${height + 26}`, role: "img", "aria-label": `Samples of ${title}` });
  drawing.append(element("rect", { x: x(low), y: 2, width: Math.max(1, x(high) - x(low)), height, class: "interval" }));
  drawing.append(element("line", { x1: x(middle), x2: x(middle), y1: 2, y2: height + 2, class: "median" }));
  rounds.forEach((some, place) => {
    const y = 12 + place * row;
    drawing.append(element("text", { x: 0, y: y + 4 }, `round ${place + 1}`));
    for (const s of some) drawing.append(element("circle", { cx: x(s), cy: y, r: 3 }));
  });
  for (const [s, anchor] of [[from, "start"], [to, "end"]]) {
    drawing.append(element("text", { x: x(s), y: height + 20, "text-anchor": anchor }, duration(s)));
  }
  const words = document.createElement("p");
  words.textContent = `${title}: median ${duration(middle)}, interval ${duration(low)} to ${duration(high)}; ${samples.length} samples in ${rounds.length} rounds.`;
  byId("distribution").replaceChildren(words, drawing);
};
const known = new Map(runs.flatMap(({ file, cases: mine }) => Object.entries(mine).map(([title, found]) => [`${file}/${title}`, [title, found]])));
const choose = (key) => {
  if (!known.has(key)) return;
  cases.value = key;
  distribution(...known.get(key));
  byId("distributions").scrollIntoView();
};
if (cases) {
  cases.append(new Option("choose a case", ""));
  for (const { file, run, cases: mine } of runs) {
    const group = Object.assign(document.createElement("optgroup"), { label: run });
    group.append(...Object.keys(mine).map((title) => new Option(title, `${file}/${title}`)));
    cases.append(group);
  }
  cases.addEventListener("change", () => (cases.value ? distribution(...known.get(cases.value)) : byId("distribution").replaceChildren()));
}

byId("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// On paper nothing can be opened: the tables of the story are.
let opened = [];
addEventListener("beforeprint", () => {
  opened = all(".story details.table:not([open])");
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
go();
