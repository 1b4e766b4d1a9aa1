"""The report in a browser: filters, paging, keyboard, comparison and appearance."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import accessibility
from tests.browser.conftest import COPIES, EVIL, LONG, WARNING, OpenPage

SAMPLES, REJECTED = 18, 1
ALL = COPIES * (SAMPLES - REJECTED) + REJECTED + 1
PAGE = 50


@pytest.fixture
def page(open_page: OpenPage, report: str) -> Page:
    """Return the report in a wide window."""
    return open_page(report)


def names(page: Page) -> list[str]:
    return page.locator("#list h3").all_inner_texts()


def expect_count(page: Page, count: int) -> None:
    expect(page.locator("#count")).to_have_text(re.compile(rf"^{count} of {ALL} pictures\b"))


def compare(page: Page, name: str = "CAMERA.JPG") -> Locator:
    page.get_by_role("button", name=f"Compare {name}", exact=True).click()
    return page.get_by_role("dialog")


def test_the_list_is_divided_into_pages(page: Page) -> None:
    """A page has fifty pictures, and the current page is marked."""
    expect_count(page, ALL)
    assert len(names(page)) == PAGE
    first = names(page)[0]
    page.get_by_role("button", name="Page 3 of 3").click()
    expect(page.get_by_role("button", name="Page 3 of 3")).to_have_attribute("aria-current", "page")
    assert len(names(page)) == ALL - 2 * PAGE
    page.get_by_role("button", name="Previous").click()
    assert len(names(page)) == PAGE
    assert names(page)[0] != first


def test_only_one_page_of_a_long_list_is_rendered(open_page: OpenPage, long_report: str) -> None:
    """The page renders only fifty pictures of five thousand, and the search finds any of them."""
    page = open_page(long_report)
    expect(page.get_by_role("article")).to_have_count(PAGE)
    assert page.evaluate("document.querySelectorAll('*').length") < 2_000
    page.get_by_role("button", name=f"Page {LONG // PAGE} of {LONG // PAGE}").click()
    assert names(page)[-1] == f"{LONG - 1}.png"
    page.get_by_role("searchbox").fill("4321")
    expect(page.get_by_role("article")).to_have_count(1)


def test_the_search_matches_part_of_a_name(page: Page) -> None:
    """The search matches part of a name and ignores case."""
    page.get_by_role("searchbox").fill("camera")
    expect_count(page, COPIES)
    assert all("CAMERA.JPG" in name for name in names(page))


@pytest.mark.parametrize(
    ("label", "value", "count"),
    [("State", "rejected", 1), ("Warning", WARNING, 1), ("Rejected for", "NotAnImageError", 1), ("Format", "none", 1)],
)
def test_a_filter_shows_as_many_pictures_as_its_label_says(page: Page, label: str, value: str, count: int) -> None:
    """Each choice shows a count, and the filter leaves that number of pictures."""
    page.get_by_label(label).select_option(value)
    expect_count(page, count)
    assert f"{value} ({count})" in page.get_by_label(label).locator("option").all_inner_texts()


def test_copied_and_re_encoded_pictures_can_be_filtered(page: Page) -> None:
    """Every converted picture is either copied or re-encoded."""
    choice = page.get_by_label("Converted picture")
    counts = dict(re.findall(r"(\S+) \((\d+)\)", " ".join(choice.locator("option").all_inner_texts())))
    assert sum(map(int, counts.values())) == ALL - REJECTED
    choice.select_option("copied")
    expect_count(page, int(counts["copied"]))
    assert page.locator("#list article").filter(has_text="copied").count() == len(names(page))


def test_filters_are_kept_in_the_address(page: Page, open_page: OpenPage) -> None:
    """The address of a filtered list restores its filters, and Clear removes them."""
    page.get_by_role("searchbox").fill("AGAIN 1/")
    page.get_by_label("Format").select_option("GIF")
    expect(page.locator("#list article")).not_to_have_count(PAGE)
    found = names(page)
    assert found
    other = open_page(page.url)
    assert names(other) == found
    other.get_by_role("button", name="Clear").click()
    expect_count(other, ALL)


def test_a_rejection_reason_links_to_its_pictures(page: Page) -> None:
    """Rejections are grouped by reason, with a link that filters the list."""
    page.get_by_text("NotAnImageError 1").click()
    page.get_by_role("link", name="Show it in the list").click()
    expect_count(page, 1)
    expect(page.locator("#list article")).to_contain_text("expected a JPEG, PNG or GIF")


def test_thumbnails_load_and_a_link_opens_the_output(page: Page) -> None:
    """Every thumbnail in the list loads, and a link opens the output."""
    for image in page.locator("#list .thumbnail img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("node => node.naturalWidth > 0")
    page.get_by_role("link", name="Open converted of CAMERA.JPG", exact=True).click()
    page.wait_for_url("**/converted.jpg")
    assert page.evaluate("document.images[0].naturalWidth") == 800


def test_a_picture_shows_its_times_and_its_record(page: Page) -> None:
    """A picture shows each output's time since the upload, and its record."""
    picture = page.get_by_role("article", name="CAMERA.JPG", exact=True)
    expect(picture.locator(".files li")).to_have_count(5)
    expect(picture.locator(".files")).to_contain_text("in 1.2 s")
    picture.get_by_text("Record, in 1.2 s").click()
    expect(picture.locator("dl")).to_have_text("width800height533formatJPEG")


def test_the_comparison_shows_both_pictures_at_the_same_scale(page: Page) -> None:
    """Both pictures have the same frame even for a thumbnail; 1 : 1 shows the master at its own size."""
    dialog = compare(page)
    dialog.get_by_label("Compare with").select_option("thumbnail")
    left, right = dialog.locator("img.left").bounding_box(), dialog.locator("img.right").bounding_box()
    assert left == right
    assert dialog.locator("img.right").evaluate("node => node.decode().then(() => node.naturalWidth)") == 100
    dialog.get_by_label("Size").select_option("1")
    box = dialog.locator("img.left").bounding_box()
    assert box
    assert (box["width"], box["height"]) == (800, 533)


def test_the_divider_moves_by_keyboard_and_by_mouse(page: Page) -> None:
    """The slider announces its value, and the master is clipped there."""
    dialog = compare(page)
    slider, left = dialog.get_by_role("slider", name="Divider"), dialog.locator("img.left")
    slider.focus()
    page.keyboard.press("Home")
    expect(left).to_have_css("clip-path", re.compile(r"100%"))
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "20 % master")
    box = left.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 50)
    page.mouse.up()
    expect(slider).to_have_attribute("aria-valuetext", "75 % master")
    expect(left).to_have_css("clip-path", re.compile(r"25%"))


def test_the_report_can_be_used_by_keyboard_alone(page: Page) -> None:
    """Skip link, search and comparison work without a mouse."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the pictures")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("again 2/camera")
    expect_count(page, 1)
    button = page.get_by_role("button", name="Compare again 2/CAMERA.JPG")
    tab_until(page, button)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="again 2/CAMERA.JPG")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()


def tab_until(page: Page, wanted: Locator) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            return
    pytest.fail(
        f"expected {wanted} within 30 steps of the Tab key, got {page.evaluate('document.activeElement.outerHTML')}"
    )


def test_the_comparison_steps_through_the_filtered_list(page: Page) -> None:
    """The buttons follow the order of the filtered list and stop at its ends."""
    page.get_by_role("searchbox").fill("/CAMERA.JPG")
    dialog = compare(page, "again 1/CAMERA.JPG")
    expect(dialog.get_by_role("button", name="Previous")).to_be_disabled()
    for _ in range(COPIES - 2):
        dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_role("heading")).to_have_text(f"again {COPIES - 1}/CAMERA.JPG")
    expect(dialog.get_by_role("button", name="Next")).to_be_disabled()


def test_a_name_with_markup_is_shown_as_text(page: Page) -> None:
    """A hostile key is shown as text, and no script runs."""
    page.get_by_role("searchbox").fill("onerror")
    expect_count(page, 1)
    assert names(page) == [EVIL]
    compare(page, EVIL)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_report_is_readable(open_page: OpenPage, report: str, screenshots: Path, width: int, scheme: str) -> None:
    """Contrast, names and layout are right in the list and the comparison, at both widths and in both schemes."""
    page = open_page(report, width=width, scheme=scheme)
    page.get_by_text("NotAnImageError 1").click()
    shoot = shooter(page, screenshots / f"report-{width}-{scheme}")
    shoot("list")
    accessibility.check(page)
    accessibility.check_outline(page)
    compare(page)
    for image in page.locator(".sheet img").all():
        expect(image).to_have_js_property("complete", value=True)
    shoot("compare")
    accessibility.check(page)


def shooter(page: Page, place: Path) -> Callable[[str], None]:
    """Return a function that saves a screenshot of the page."""

    def shoot(name: str) -> None:
        page.screenshot(path=f"{place}-{name}.png", full_page=name == "list")

    return shoot
