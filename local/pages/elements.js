"use strict";

/* Make an element with properties and children; texts are never markup. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function badge(text, kind = "") {
  return element("span", { className: `badge ${kind}` }, text);
}

function byId(id) {
  return document.getElementById(id);
}
