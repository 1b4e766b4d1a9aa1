/* One picture of the list. */

function card(row, compare) {
  const badges = [badge(row.state, row.state)];
  if (row.format !== "none") badges.push(badge(row.format));
  if (row.made) badges.push(badge(row.made, row.made === "salvaged" ? "warning" : ""));
  const about = element("div", { className: "about" },
    element("header", {}, element("h3", {}, row.name), ...badges),
    ...row.rejections.map((found) =>
      element("p", { className: "reason" }, element("b", {}, `${found.branch}: ${found.error}`), ` ${found.message}`)),
    ...row.warnings.map((warning) => element("p", { className: "reason" }, element("b", {}, "Warning:"), ` ${warning}`)),
    element("ul", { className: "files" }, ...[row.master, ...row.files].map(fileItem)),
    actions(row, compare),
  );
  const article = element("article", { className: `card picture ${row.state}`, "aria-label": row.name }, thumbnail(row), about);
  return element("li", {}, article);
}

/* The smallest available picture, linked to the largest output. */
function thumbnail(row) {
  const shown = row.files.filter((file) => file.shown).sort((one, other) => one.width - other.width)[0]
    ?? (row.master.shown ? row.master : null);
  if (!shown) return element("div", { className: "thumbnail" }, row.master.href ? "no picture" : "not there");
  const opened = row.files.find((file) => file.label === "converted" && file.shown) ?? shown;
  const image = element("img", { loading: "lazy", decoding: "async", alt: `Open ${opened.label} of ${row.name}` });
  image.addEventListener("error", () => image.replaceWith("no picture"));
  image.width = shown.width;
  image.height = shown.height;
  image.src = shown.href;
  return element("a", { className: "thumbnail", href: opened.href }, image);
}

function fileItem(file) {
  const size = file.width ? `${file.width} × ${file.height} · ${file.bytes}` : file.bytes;
  const label = file.href ? element("a", { href: file.href }, file.label) : element("b", {}, file.label);
  return element("li", {}, label, element("span", {}, size), file.after ? element("span", {}, `in ${file.after}`) : null);
}

function actions(row, compare) {
  const bar = element("div", { className: "actions" });
  if (comparable(row)) {
    const button = element("button", { type: "button", "aria-label": `Compare ${row.name}` }, "Compare");
    button.addEventListener("click", () => compare(row));
    bar.append(button);
  }
  if (row.record.length) bar.append(record(row));
  return bar;
}

/* Facts are rendered when they are opened, because most never are. */
function record(row) {
  const label = row.recorded ? `Record, in ${row.recorded}` : "Record";
  const details = element("details", { className: "record" }, element("summary", {}, label));
  details.addEventListener("toggle", () => {
    const facts = row.record.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value)));
    details.append(element("dl", {}, ...facts));
  }, { once: true });
  return details;
}
