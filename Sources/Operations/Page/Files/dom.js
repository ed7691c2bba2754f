// The few ways in which this page touches the document. Text goes in as text and never as markup: names of tables are chosen
// by strangers.

export const find = (id) => document.getElementById(id);

/** Sets a text where it is another one, so that a screen reader is not told the same again. */
export function say(element, text) {
  const wanted = text === "" ? "\u00a0" : String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** A remark: it takes no room where there is nothing to say. */
export function remark(element, text) {
  say(element, text);
  element.hidden = text === "";
}

/** An element with attributes and children; a child that is no element becomes text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A state: its tone gives shape and colour, its words say it. */
export const state = (tone, words, extra = null) =>
  make("p", { class: "state", "data-tone": tone }, make("span", { class: "words" }, words), extra);

export function setState(element, tone, words) {
  element.dataset.tone = tone;
  say(element.querySelector(".words"), words);
}

/** Replaces the children where what they show is another thing than before: nothing flickers, focus and selection stay. */
export function show(element, value, build) {
  const key = JSON.stringify(value);
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.replaceChildren(...[build(value)].flat());
}

/** The figures of a `dl`: `[name, text, tone]` each. Places stay, numbers change. */
export function figures(list, entries) {
  const names = entries.map(([name]) => name);
  show(list, names, () =>
    names.map((name) => make("div", {}, make("dt", {}, name), make("dd", {}, "\u2013"))));
  entries.forEach(([, text, tone], index) => {
    const value = list.children[index].lastElementChild;
    say(value, text);
    if (tone) value.dataset.tone = tone;
    else delete value.dataset.tone;
  });
}

/** A table: columns are `{title, number}`, rows are arrays of texts or elements. The first cell names the row. */
export function table(element, columns, rows) {
  const plain = rows.map((row) => row.map((cell) => (cell instanceof Element ? cell.outerHTML : cell)));
  show(element, [columns, plain], () => [
    make("thead", {}, make("tr", {}, columns.map((column) =>
      make("th", { scope: "col", class: column.number ? "number" : null }, column.title)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, index) =>
      make(index === 0 ? "th" : "td",
        { scope: index === 0 ? "row" : null, class: columns[index].number ? "number" : null }, cell))))),
  ]);
}
