"use strict";
// What the page can do beyond being read: choose light or dark, sort and filter its tables.
// Without it, the page says the same.

function themeButton() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.createElement("button");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const say = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.type = "button";
  button.className = "theme";
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    say();
  });
  system.addEventListener("change", say);
  say();
  document.querySelector("header").prepend(button);
}

// A number at the start of a text, as the report prints it; null where there is none.
function leading(text) {
  const found = text.replace("−", "-").match(/^[+<]?\s*(-?\d[\d.]*(?:e[+-]?\d+)?)/);
  return found ? Number(found[1]) : null;
}

// What a block of rows has in a column; -1 is its label.
function shown(block, column) {
  const cells = block.querySelectorAll("tr:first-child > td");
  const cell = column < 0 ? block.querySelector("th.label") : cells[column];
  return cell.textContent.trim();
}

function compare(one, other, sign) {
  const [a, b] = [leading(one), leading(other)];
  if (a !== null && b !== null && a !== b) return sign * (a - b);
  if ((a === null) !== (b === null)) return a === null ? 1 : -1; // what is missing stays below
  return sign * one.localeCompare(other, "en", { numeric: true });
}

function sortBy(table, head) {
  const upwards = head.getAttribute("aria-sort") !== "ascending";
  const column = Number(head.dataset.column);
  table.querySelectorAll("th[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", upwards ? "ascending" : "descending");
  const blocks = [...table.tBodies];
  blocks.sort((a, b) => compare(shown(a, column), shown(b, column), upwards ? 1 : -1));
  table.append(...blocks);
}

function sortable(table) {
  table.querySelectorAll("th[data-column]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  });
}

function filterable(box, table) {
  const line = document.createElement("div");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  line.className = "filter";
  input.type = "search";
  label.append("Filter rows", input);
  line.append(label, count);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    const blocks = [...table.tBodies];
    blocks.forEach((block) => { block.hidden = !block.textContent.toLowerCase().includes(wanted); });
    const left = blocks.filter((block) => !block.hidden).length;
    count.textContent = wanted ? `${left} of ${blocks.length}` : "";
  });
  box.before(line);
}

const FEWEST_TO_FILTER = 4;

themeButton();
document.querySelectorAll(".scroll").forEach((box) => {
  const table = box.querySelector("table.sortable");
  if (!table) return;
  sortable(table);
  if (table.tBodies.length >= FEWEST_TO_FILTER) filterable(box, table);
});
