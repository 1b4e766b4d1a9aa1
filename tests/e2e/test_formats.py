"""WebP sizes beside JPEG: kept if they are smaller, and deleted when a newer master has none."""

import io

from PIL import Image

from components.config import PROJECT
from ops.audit import audit
from tests.e2e.conftest import deployed, until

KEY, WEBP = "master/cat.png", "resized/cat/large.webp"
CONFIG = {
    f"{PROJECT}:outputFormats": '["jpeg", "webp=100"]',
    f"{PROJECT}:jpegQuality": "50",
    f"{PROJECT}:sizes": '["large=400"]',
    f"{PROJECT}:enlarge": "false",
}


def plain() -> bytes:
    """Return a picture of one colour, which is smaller as WebP than as JPEG."""
    return _png(Image.new("RGB", (400, 300), (200, 30, 30)))


def noisy() -> bytes:
    """Return a picture of noise, which is larger as WebP than as JPEG at these qualities."""
    return _png(Image.effect_noise((400, 300), 90).convert("RGB"))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_webp_is_kept_only_while_it_is_smaller_than_its_jpeg() -> None:
    """The layer and the permissions are those that a stack with further formats gets."""
    with deployed(CONFIG) as live:
        first = live.put(KEY, plain())
        record = until("the picture is complete", live.settled, KEY)
        head = live.head(WEBP)
        assert head
        assert (head["ContentType"], head["Metadata"]["etag"]) == ("image/webp", first)
        outputs = record.branches["resizing"].outputs
        assert outputs["resized/{name}/large.webp"]["bytes"] == head["ContentLength"]
        assert all(found.accounted_for for found in audit(live.stack, deep=True))

        second = live.put(KEY, noisy())
        until("its newer state is in the bucket", lambda: live.master_etag("resized/cat/large.jpg") == second)
        record = until("it is complete", live.settled, KEY)
        assert record.branches["resizing"].not_kept.keys() == {"resized/{name}/large.webp"}
        assert live.head(WEBP) is None
        assert all(found.accounted_for for found in audit(live.stack, deep=True))
