/* The list of filtered pictures, fifty at a time, so that thousands of pictures do not slow the page down. */

const PAGE = 50;
const rows = JSON.parse(byId("data").textContent);
const form = byId("filters");
let found = rows;

const comparison = new Comparison(byId("compare"), (row) => {
  const others = found.filter(comparable);
  const at = others.indexOf(row);
  return { previous: others[at - 1], next: others[at + 1] };
});

function show(wanted) {
  found = chosen(rows, wanted);
  const last = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(last, Math.max(1, Number(wanted.get("page")) || 1));
  const first = (page - 1) * PAGE;
  const cards = found.slice(first, first + PAGE).map((row) => card(row, (wish) => comparison.open(wish)));
  byId("list").replaceChildren(...cards);
  const shown = last > 1 ? `, ${first + 1} to ${first + cards.length} on this page` : "";
  byId("count").textContent = `${found.length} of ${rows.length} pictures${shown}`;
  byId("pages").replaceChildren(...(last > 1 ? pageButtons(page, last) : []));
}

function pageButtons(page, last) {
  const near = new Set([1, page - 1, page, page + 1, last].filter((number) => number >= 1 && number <= last));
  const buttons = [pageButton("Previous", page - 1, page === 1)];
  let before = 0;
  for (const number of [...near].sort((one, other) => one - other)) {
    if (number > before + 1) buttons.push(element("span", { "aria-hidden": "true" }, "…"));
    const button = pageButton(String(number), number, false);
    button.setAttribute("aria-label", `Page ${number} of ${last}`);
    if (number === page) button.setAttribute("aria-current", "page");
    buttons.push(button);
    before = number;
  }
  return [...buttons, pageButton("Next", page + 1, page === last)];
}

function pageButton(text, page, disabled) {
  const button = element("button", { type: "button", disabled }, text);
  button.addEventListener("click", () => {
    apply(page);
    byId("pictures").focus({ preventScroll: true });
    byId("pictures").scrollIntoView();
  });
  return button;
}

function apply(page = 1) {
  const wanted = wantedOf(form, page);
  history.replaceState(null, "", `#${wanted}`);
  show(wanted);
}

function restore() {
  const wanted = wantedOfAddress();
  fill(form, wanted);
  show(wanted);
}

form.addEventListener("input", () => apply());
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
window.addEventListener("hashchange", () => {
  if (location.hash === "#pictures") return;
  restore();
  byId("pictures").scrollIntoView();
});
restore();
