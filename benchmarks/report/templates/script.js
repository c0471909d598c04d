"use strict";
// Tables sort by a click on a heading: by a cell's value, by the number and unit that its text begins with, or as text.
const units = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, B: 1, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 };
const value = (text) => {
  const found = /^[<~+]*\s*(-?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s*([a-zA-Z]*)/.exec(text.trim());
  return found ? Number(found[1].replaceAll(",", "")) * (units[found[2]] ?? 1) : NaN;
};
for (const button of document.querySelectorAll("table.sortable thead button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement, row = heading.parentElement, body = heading.closest("table").tBodies[0];
    const place = [...row.children].indexOf(heading), up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of row.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = [...body.rows].map((each) => {
      const { dataset, textContent } = each.cells[place];
      return [dataset.value === undefined ? value(textContent) : Number(dataset.value), textContent, each];
    });
    keyed.sort(([x, a], [y, b]) => {
      if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1; // what is no number goes last, either way
      return (isNaN(x) ? a.localeCompare(b) : x - y) * (up ? 1 : -1);
    });
    body.append(...keyed.map((each) => each[2]));
  });
}
for (const input of document.querySelectorAll("input.filter")) {
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of input.closest("details").querySelectorAll("tbody tr")) {
      row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    }
  });
}
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch { // a page from a file may not write the clipboard: select it instead
      getSelection().selectAllChildren(code);
    }
    button.textContent = "Copied";
  });
}
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
