/* The filters: the form's values, kept in the address so that a list can be linked. */

const FILTERS = {
  q: (row, text) => row.name.toLowerCase().includes(text.toLowerCase()),
  state: (row, value) => row.state === value,
  format: (row, value) => row.format === value,
  made: (row, value) => row.made === value,
  warning: (row, value) => row.warnings.includes(value),
  reason: (row, value) => row.rejections.some((found) => found.error === value),
};

function chosen(rows, wanted) {
  const active = Object.entries(FILTERS).filter(([name]) => wanted.get(name));
  return rows.filter((row) => active.every(([name, matches]) => matches(row, wanted.get(name))));
}

function wantedOf(form, page) {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) wanted.set(name, value);
  if (page > 1) wanted.set("page", page);
  return wanted;
}

function wantedOfAddress() {
  return new URLSearchParams(location.hash.slice(1));
}

function fill(form, wanted) {
  for (const control of form.elements) if (control.name) control.value = wanted.get(control.name) ?? "";
}
