/* Master and output over each other at the same scale; the divider shows more of one or the other. */

function comparable(row) {
  return row.master.shown && row.files.some((file) => file.shown);
}

class Comparison {
  constructor(dialog, neighbours) {
    this.dialog = dialog;
    this.neighbours = neighbours;
    this.sheet = dialog.querySelector(".sheet");
    this.outputs = byId("compare-with");
    this.zoom = byId("compare-zoom");
    this.divider = byId("compare-divider");
    this.outputs.addEventListener("change", () => this.show());
    this.zoom.addEventListener("change", () => this.scale());
    this.divider.addEventListener("input", () => this.divide());
    window.addEventListener("resize", () => this.scale());
    dialog.addEventListener("click", (event) => this.act(event.target.dataset.do));
    for (const kind of ["pointerdown", "pointermove"]) this.sheet.addEventListener(kind, (event) => this.drag(event));
  }

  open(row) {
    const label = this.outputs.value;
    this.row = row;
    this.files = row.files.filter((file) => file.shown);
    this.outputs.replaceChildren(...this.files.map((file) => element("option", {}, file.label)));
    if (this.files.some((file) => file.label === label)) this.outputs.value = label;
    byId("compare-title").textContent = row.name;
    if (!this.dialog.open) this.dialog.showModal();
    this.show();
  }

  act(action) {
    if (action === "close") this.dialog.close();
    if (action === "previous" || action === "next") this.open(this.neighbours(this.row)[action] ?? this.row);
  }

  show() {
    const output = this.files.find((file) => file.label === this.outputs.value);
    const images = { left: this.row.master, right: output };
    for (const [side, file] of Object.entries(images)) {
      const image = this.sheet.querySelector(`.${side}`);
      image.src = file.href;
      image.alt = `${file.label} of ${this.row.name}`;
    }
    const sizes = [this.row.master, output].map((file) => `${file.label} ${file.width} × ${file.height}, ${file.bytes}`);
    byId("compare-caption").textContent = `Left: ${sizes[0]}. Right: ${sizes[1]}.`;
    const { previous, next } = this.neighbours(this.row);
    this.dialog.querySelector('[data-do="previous"]').disabled = !previous;
    this.dialog.querySelector('[data-do="next"]').disabled = !next;
    this.scale();
    this.divide();
  }

  /* Show both pictures at the master's size, or as large as fits, so that they differ in detail and not in scale. */
  scale() {
    if (!this.dialog.open) return;
    const { width, height } = this.row.master;
    const stage = this.sheet.parentElement;
    const fit = Math.min(stage.clientWidth / width, stage.clientHeight / height);
    const factor = this.zoom.value === "fit" ? fit : Number(this.zoom.value) / devicePixelRatio;
    this.sheet.style.width = `${Math.floor(width * factor)}px`;
    this.sheet.style.height = `${Math.floor(height * factor)}px`;
  }

  divide() {
    this.sheet.style.setProperty("--at", `${this.divider.value}%`);
    this.divider.setAttribute("aria-valuetext", `${this.divider.value} % master`);
  }

  drag(event) {
    if (!(event.buttons & 1)) return;
    event.preventDefault();
    const box = this.sheet.getBoundingClientRect();
    this.divider.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    this.divide();
  }
}
