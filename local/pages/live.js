/* The live page: shows the events that the server sends, uploads pictures, and redrives dead letters. */

const MOST = 50;

function address(base, path) {
  return base + path.split("/").map(encodeURIComponent).join("/");
}

/* Keep a list's elements where nothing has changed, so that focus and pictures stay. */
function update(list, items, keyOf, make) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const after = items.map((item) => {
    const [key, text] = [keyOf(item), JSON.stringify(item)];
    const known = before.get(key);
    if (known && known.text === text) return known;
    const made = make(item);
    made.dataset.key = key;
    made.text = text;
    return made;
  });
  if (after.length !== list.children.length || after.some((child, at) => child !== list.children[at])) {
    list.replaceChildren(...after);
  }
}

function numbers(...pairs) {
  return pairs.map(([name, value, bad]) =>
    element("div", { className: bad && value ? "bad" : "" }, element("dt", {}, name), element("dd", {}, String(value))));
}

function branchItem(branch) {
  const depths = numbers(["in the queue", branch.waiting], ["in work", branch.in_work], ["dead letters", branch.dead, true]);
  return element("li", { className: "card station" }, element("h3", {}, branch.name), element("dl", {}, ...depths));
}

function journeyItem(picture) {
  const files = picture.files.map((file) => element("li", {}, element("a", { href: address("files/", file.key) }, file.label)));
  if (picture.recorded) files.push(element("li", {}, "record"));
  const about = element("div", { className: "about" },
    element("header", {}, element("h3", {}, picture.name), badge(picture.state, picture.state)),
    element("ol", { className: "steps", "aria-label": "Way" }, ...picture.steps.map(stepItem)),
    ...picture.reasons.map((found) =>
      element("p", { className: "reason" }, element("b", {}, `${found.branches.join(", ")}: ${found.error}`), ` ${found.message}`)),
    element("ul", { className: "outputs", "aria-label": "Outputs" }, ...files));
  return element("li", {}, element("article", { className: "card journey", "aria-label": picture.name }, preview(picture), about));
}

function stepItem(step) {
  const text = step.outcome ? `${step.name}: ${step.outcome}` : step.name;
  return element("li", { className: step.outcome }, step.after ? `${text} in ${step.after}` : text);
}

function preview(picture) {
  const smallest = picture.files.find((file) => file.label === "thumbnail") ?? picture.files.at(-1);
  if (!smallest) return element("div", { className: "thumbnail" }, picture.state === "rejected" ? "no picture" : "on its way");
  const opened = picture.files.find((file) => file.label === "converted") ?? smallest;
  // A browser shows an address that it has shown on this page as before, whatever the server's headers say.
  const src = `${address("files/", smallest.key)}?${encodeURIComponent(picture.started)}`;
  const image = element("img", { alt: `Open ${opened.label} of ${picture.name}`, src });
  return element("a", { className: "thumbnail", href: address("files/", opened.key) }, image);
}

function deadItem(dead) {
  const button = element("button", { type: "button", "aria-label": `Redrive ${dead.queue}` }, "Redrive");
  button.addEventListener("click", () => redrive(dead.queue, button));
  const letters = dead.letters.map((letter) => element("li", {}, letter.what, element("br"), element("span", {}, letter.error)));
  return element("li", {}, element("article", { className: "card", "aria-label": dead.queue },
    element("h3", {}, `${dead.queue}: ${dead.count}`), element("ul", { className: "letters" }, ...letters), button));
}

function failureItem(failure) {
  return element("li", { className: "card failure" }, `${failure.text} × ${failure.count}`);
}

function show(state) {
  byId("publisher").querySelector("dl").replaceChildren(...numbers(["dead letters", state.publisher.dead, true]));
  update(byId("branches"), state.branches, (branch) => branch.name, branchItem);
  update(byId("list"), state.pictures.slice(0, MOST), (picture) => picture.key, journeyItem);
  update(byId("dead"), state.dead, (dead) => dead.queue, deadItem);
  update(byId("failures"), state.failures, (failure) => failure.text, failureItem);
  byId("count").textContent = state.pictures.length ? totals(state.pictures) : "No pictures yet.";
  byId("no-dead").hidden = state.dead.length > 0;
  byId("failed").hidden = state.failures.length === 0;
}

function totals(pictures) {
  const count = (state) => pictures.filter((picture) => picture.state === state).length;
  const outputs = pictures.reduce((sum, picture) => sum + picture.files.length, 0);
  const records = pictures.filter((picture) => picture.recorded).length;
  return `${pictures.length} pictures: ${count("done")} done, ${count("rejected")} rejected, ${count("failed")} failed, ${count("on its way")} on their way; `
    + `${outputs} outputs, ${records} records.`;
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

async function redrive(queue, button) {
  button.disabled = true;
  try {
    const { moved } = await post(address("redrive/", queue));
    byId("redriven").textContent = `Sent back from ${queue}: ${moved}.`;
  } catch (error) {
    byId("redriven").textContent = error.message;
  }
  button.disabled = false;
}

/* One after another, so that a folder of pictures is not read into memory at once. */
async function upload(files) {
  let [done, refused] = [0, []];
  for (const file of files) {
    byId("uploads").textContent = `Uploading ${file.name}, ${done + 1} of ${files.length}`;
    try {
      await post(address("masters/", file.name), file);
      done += 1;
    } catch (error) {
      refused.push(`${file.name}: ${error.message}`);
    }
  }
  byId("uploads").textContent = [`${done} of ${files.length} uploaded.`, ...refused].join(" ");
}

const drop = byId("drop");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
  });
}
document.addEventListener("drop", (event) => upload([...event.dataTransfer.files]));
byId("files").addEventListener("change", (event) => upload([...event.target.files]).then(() => { event.target.value = ""; }));

const events = new EventSource("events");
events.addEventListener("message", (event) => show(JSON.parse(event.data)));
events.addEventListener("open", () => { byId("connection").textContent = "Connected."; });
events.addEventListener("error", () => { byId("connection").textContent = "Not connected: is `python -m local up` still running?"; });
