"use strict";
// Sorting and filtering of the tables of points. The page reads well without it.
(() => {
  const number = (text) => (text.trim() === "" ? NaN : Number(text));
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;

  const compare = (one, two) => {
    const [x, y] = [number(one), number(two)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    return one.localeCompare(two, "en", { numeric: true });
  };

  const sort = (table, column, header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
    // What is missing is last, whichever way.
    rows.sort(([one], [two]) => {
      if ((one === "") !== (two === "")) return one === "" ? 1 : -1;
      return down ? compare(two, one) : compare(one, two);
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };

  const tests = {
    "<": (x, y) => x < y, ">": (x, y) => x > y, "<=": (x, y) => x <= y, ">=": (x, y) => x >= y,
  };

  // A word must occur in the row; column>0.5 (also < <= >= =) compares a column.
  const condition = (word, names) => {
    const found = /^(.+?)(<=|>=|<|>|=)(.+)$/.exec(word);
    const column = found ? names.indexOf(found[1]) : -1;
    if (column < 0) return (row) => row.textContent.toLowerCase().includes(word);
    const [, , sign, limit] = found;
    if (sign === "=") return (row) => compare(value(row, column).toLowerCase(), limit) === 0;
    return (row) => value(row, column) !== "" && tests[sign](number(value(row, column)), number(limit));
  };

  const filter = (table, names, text, said) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const conditions = words.map((word) => condition(word, names));
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) row.hidden = !conditions.every((holds) => holds(row));
    said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const headers = [...table.tHead.rows[0].cells];
    const names = headers.map((header) => header.textContent.trim().toLowerCase());
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent.trim();
      button.addEventListener("click", () => sort(table, column, header));
      header.replaceChildren(button);
    });
    const [bar, label, input, said] = ["div", "label", "input", "span"].map((name) => document.createElement(name));
    bar.className = "filter";
    label.textContent = "Filter ";
    input.type = "search";
    input.placeholder = "words, or silhouette>0.4 noise_share<0.1";
    input.setAttribute("aria-label", "Filter rows");
    said.setAttribute("role", "status");
    input.addEventListener("input", () => filter(table, names, input.value, said));
    bar.append(label, input, said);
    table.parentElement.before(bar);
  }
})();
