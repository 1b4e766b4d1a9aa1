"""The live page in a browser, on top of the deployed program."""

import base64
import contextlib
import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from components.branches import BRANCHES
from components.config import PROJECT, StackConfig
from components.stack_file import stack_config
from local.cascade import stack_of
from local.deployment import Deployment
from local.emulator import Emulator
from local.live import live_page
from local.samples import write_samples
from ops.stack import DeployedStack
from tests.browser import accessibility
from tests.browser.conftest import OpenPage

TIMEOUT_MS = 90_000
DROPPED = ("CAMERA.JPG", "animated.gif", "chart.png", "no-picture.jpg")
PICTURES = DROPPED[:3]
LABELS = [
    label
    for row in BRANCHES
    if (prefix := row.prefix_of(StackConfig()))
    for label in (StackConfig().sizes if row.per_size else (prefix.rstrip("/"),))
]
DROP = """([target, files]) => {
  const data = new DataTransfer();
  for (const { name, type, body } of files) {
    data.items.add(new File([Uint8Array.from(atob(body), (char) => char.charCodeAt(0))], name, { type }));
  }
  for (const kind of ["dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""

FIRST_PIXEL = """node => node.decode().then(() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(node, 0, 0);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
})"""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """The page after the drop: its address, and its summary once all files are finished."""

    address: str
    count: str


@pytest.fixture(scope="module")
def deployment(browser: Browser) -> Iterator[Deployment]:
    """Deploy the program if a browser is installed; one failure makes a message a dead letter."""
    assert browser.is_connected()
    with Emulator("us-east-1") as emulator:
        deployment = Deployment(emulator)
        deployment.deploy("local", stack_config("local", {f"{PROJECT}:maxReceives": "1"}))
        yield deployment


@pytest.fixture(scope="module")
def stack(deployment: Deployment) -> DeployedStack:
    """Return the deployed stack."""
    return stack_of(deployment)


@pytest.fixture(scope="module")
def address(deployment: Deployment, stack: DeployedStack) -> Iterator[str]:
    """Serve the live page."""
    with live_page(stack, deployment.log_groups()) as address:
        yield address


@pytest.fixture(scope="module")
def dropped(address: str, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Dropped:
    """Drop three pictures and a text onto the page, and wait until all are finished."""
    samples = {path.name: path for path in write_samples(tmp_path_factory.mktemp("samples"))}
    page = browser.new_page()
    page.goto(address)
    expect(page.get_by_text("Connected.")).to_be_visible()
    drop(page, *(samples[name] for name in DROPPED))
    expect(page.get_by_text("4 of 4 uploaded.")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("#count")).to_contain_text("0 on their way", timeout=TIMEOUT_MS)
    count = page.locator("#count").inner_text()
    page.close()
    return Dropped(address=address, count=count)


def drop(page: Page, *paths: Path) -> None:
    """Drop files onto the page."""
    files = [
        {
            "name": path.name,
            "type": mimetypes.guess_type(path.name)[0] or "",
            "body": base64.b64encode(path.read_bytes()).decode(),
        }
        for path in paths
    ]
    page.evaluate(DROP, [page.locator("#drop").element_handle(), files])


@pytest.fixture
def page(open_page: OpenPage, dropped: Dropped) -> Page:
    """Return the live page after the drop."""
    page = open_page(dropped.address)
    expect(page.get_by_role("article")).not_to_have_count(0)
    return page


def test_three_pictures_are_done_and_a_text_is_rejected(page: Page, dropped: Dropped) -> None:
    """Each picture has its JPEG, three sizes and a record; the text has one rejection."""
    assert (
        dropped.count
        == f"4 pictures: 3 done, 1 rejected, 0 failed, 0 on their way; {3 * len(LABELS)} outputs, 3 records."
    )
    for name in PICTURES:
        outputs = page.get_by_role("article", name=name).get_by_role("list", name="Outputs").get_by_role("listitem")
        expect(outputs).to_have_text([*LABELS, "record"])
    text = page.get_by_role("article", name="no-picture.jpg")
    expect(text.locator(".reason")).to_have_count(1)
    expect(text.locator(".reason")).to_contain_text(
        f"{', '.join(row.name for row in BRANCHES)}: NotAnImageError expected a JPEG, PNG or GIF"
    )


def test_every_step_shows_its_time(page: Page) -> None:
    """Publisher and branches show their time since the upload."""
    steps = page.get_by_role("article", name="CAMERA.JPG").get_by_role("list", name="Way").get_by_role("listitem")
    expect(steps).to_have_count(1 + len(BRANCHES))
    for step, text in zip(steps.all_inner_texts(), ("published in ", *["written in "] * len(BRANCHES)), strict=True):
        assert text in step


def test_thumbnails_load_and_a_link_opens_the_output(page: Page) -> None:
    """The page shows thumbnails, and a link opens the output itself."""
    for image in page.locator("#list .thumbnail img").all():
        assert image.evaluate("node => node.decode().then(() => node.naturalWidth)") == 100
    page.get_by_role("article", name="CAMERA.JPG").get_by_role("link", name="large", exact=True).click()
    page.wait_for_url("**/large.jpg")
    assert page.evaluate("document.images[0].naturalWidth") == 1000


def test_a_dead_letter_shows_its_error_and_can_be_redriven(
    page: Page, deployment: Deployment, stack: DeployedStack, screenshots: Path
) -> None:
    """A worker without write permission fails for good; after the permission returns, a redrive completes the work."""
    body = stack.client("s3").get_object(Bucket=stack.bucket, Key="master/CAMERA.JPG")["Body"].read()
    letter = page.get_by_role("article", name="resizing", exact=True)
    with revoked(deployment, "pixel-resizer", "resized/"):
        stack.client("s3").put_object(Bucket=stack.bucket, Key="master/again.jpg", Body=body)
        expect(letter).to_contain_text("resizing: 1", timeout=TIMEOUT_MS)
    expect(letter).to_contain_text("master/again.jpg")
    expect(letter).to_contain_text(re.compile(r"AccessDenied: .*PutObject.*\(storage\.py:\d+\)"))
    expect(page.locator("#count")).to_contain_text("1 failed")
    expect(page.get_by_role("article", name="again.jpg")).to_contain_text("resizing: failed")
    expect(page.get_by_text("None.")).to_be_hidden()
    expect(page.get_by_role("region", name="Failures in the functions' logs")).to_contain_text(
        "pixel-resizer: AccessDenied"
    )
    page.screenshot(path=screenshots / "live-dead-letter.png", full_page=True)
    accessibility.check(page)
    letter.get_by_role("button", name="Redrive resizing").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sent back from resizing: 1.")).to_be_visible(timeout=TIMEOUT_MS)
    expect(letter).to_be_hidden(timeout=TIMEOUT_MS)
    expect(page.get_by_text("None.")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("4 done, 1 rejected, 0 failed", timeout=TIMEOUT_MS)


@contextlib.contextmanager
def revoked(deployment: Deployment, function: str, prefix: str) -> Iterator[None]:
    """Revoke a function's permission to write under a prefix, and restore it afterwards."""
    iam = deployment.emulator.client("iam")
    policy = deployment.resource("RolePolicy", f"{function}-policy")
    names = {
        "RoleName": deployment.resource("Role", f"{function}-role")["name"],
        "PolicyName": policy["name"],
    }
    document = json.loads(policy["policy"])
    kept = [
        row
        for row in document["Statement"]
        if f"/{prefix}" not in row["Resource"] or "s3:PutObject" not in row["Action"]
    ]
    assert len(kept) < len(document["Statement"])
    iam.put_role_policy(**names, PolicyDocument=json.dumps({**document, "Statement": kept}))
    yield
    iam.put_role_policy(**names, PolicyDocument=policy["policy"])


def test_another_site_cannot_upload(
    browser: Browser, open_page: OpenPage, dropped: Dropped, stack: DeployedStack
) -> None:
    """The server refuses an upload from a page of another origin in the same browser."""
    elsewhere = browser.new_page()
    elsewhere.goto("data:text/html,another site")
    post = "address => fetch(address, { method: 'POST', mode: 'no-cors', body: 'x' }).then(() => 'sent', String)"
    assert elsewhere.evaluate(post, f"{dropped.address}masters/evil.jpg")
    elsewhere.close()
    assert "Contents" not in stack.client("s3").list_objects_v2(Bucket=stack.bucket, Prefix="master/evil")
    page = open_page(dropped.address)
    expect(page.get_by_role("article", name="CAMERA.JPG")).to_be_visible()
    expect(page.get_by_role("article", name="evil.jpg")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_live_page_is_readable(
    open_page: OpenPage, dropped: Dropped, screenshots: Path, width: int, scheme: str
) -> None:
    """Contrast, names and layout are right at both widths and in both colour schemes."""
    page = open_page(dropped.address, width=width, scheme=scheme)
    expect(page.get_by_role("article", name=DROPPED[-1])).to_be_visible()
    page.screenshot(path=screenshots / f"live-{width}-{scheme}.png", full_page=True)
    accessibility.check(page)
    accessibility.check_outline(page)


def test_a_changed_picture_has_its_new_thumbnail(open_page: OpenPage, dropped: Dropped, tmp_path: Path) -> None:
    """The thumbnail of an earlier upload with that name has the same key."""
    page, changed, before = open_page(dropped.address), tmp_path / "changed.png", "none yet"
    thumbnail = page.get_by_role("article", name="changed.png").locator("img")
    for colour in ((255, 0, 0), (0, 0, 255)):
        Image.new("RGB", (100, 100), colour).save(changed)
        drop(page, changed)
        # A thumbnail that is not there yet has no `src` either, so it must have another.
        another = re.compile(f"^(?!{re.escape(before)}$)")
        expect(thumbnail).to_have_attribute("src", another, timeout=TIMEOUT_MS)
        before = str(thumbnail.get_attribute("src"))
        shown = thumbnail.evaluate(FIRST_PIXEL)
        assert [round(value / 255) for value in shown] == [value / 255 for value in colour]
