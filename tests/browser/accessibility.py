"""Checks for every page: readable contrast, names for screen readers, and no horizontal overflow."""

import itertools

from playwright.sync_api import Page

# Find texts with too little contrast, against the background of the nearest opaque ancestor.
CONTRASTS = """() => {
  const linear = (value) => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const channel = (value) => linear(value / 255);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const background = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgb(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    if (!text.length || !node.checkVisibility() || node.closest("script, :disabled, option")) continue;
    const [one, other] = [light(rgb(getComputedStyle(node).color)), light(background(node))];
    const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
    if (ratio < 4.5) found[`${node.tagName}.${node.className}`] = ratio.toFixed(2);
  }
  return found;
}"""
UNNAMED = """() => [...document.querySelectorAll("a, button, input, select, img, dialog, nav, [role=group]")]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.ariaLabel || node.alt || node.textContent.trim() || node.labels?.[0]?.textContent.trim()
    || node.getAttribute("aria-labelledby") || node.querySelector("img[alt]")))
  .map((node) => node.outerHTML.slice(0, 120))"""
CUT = """() => [...document.querySelectorAll("body *")]
  .filter((node) => node.checkVisibility() && !node.closest(".stage, .skip, .hidden, .stacked thead"))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.outerHTML.slice(0, 120))"""
LEVELS = (
    "() => [...document.querySelectorAll('main :is(h1, h2, h3), header h1')].map((node) => Number(node.tagName[1]))"
)


def check(page: Page) -> None:
    """Assert that text has WCAG AA contrast, controls have names, and nothing is cut off or scrolls sideways."""
    assert page.evaluate(CONTRASTS) == {}
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_outline(page: Page) -> None:
    """Assert that a screen reader finds landmarks, one title, and headings in order."""
    levels = page.evaluate(LEVELS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for role in ("banner", "main"):
        assert page.get_by_role(role).count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    assert (
        page.evaluate(
            "(() => { const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);"
            " return ids.length - new Set(ids).size; })()"
        )
        == 0
    )
