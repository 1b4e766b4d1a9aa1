"""Masters in each further format: decoded in child processes, HEIC from its own layer."""

import io

from PIL import Image

from components.config import PROJECT
from ops.audit import audit
from tests.e2e.conftest import deployed, until
from tests.handlers.imaging.heic import SIZE, heic, needs_decoder

CONFIG = {
    f"{PROJECT}:inputFormats": '["jpeg", "webp", "avif", "heic", "tiff"]',
    f"{PROJECT}:sizes": '["small=48"]',
}


def masters() -> dict[str, bytes]:
    """Return a picture in each format, by key."""
    found = {"master/heic.heic": heic()}
    for name in ("webp", "avif", "tiff"):
        file = io.BytesIO()
        Image.linear_gradient("L").resize(SIZE).convert("RGB").save(file, name)
        found[f"master/{name}.{name}"] = file.getvalue()
    return found


@needs_decoder
def test_each_further_format_is_converted_and_recorded() -> None:
    """Both layers are deployed; a format that is not listed is rejected, and the reason names the setting."""
    with deployed(CONFIG) as live:
        pictures = masters()
        for key, body in {**pictures, "master/png.png": b"\x89PNG\r\n\x1a\n"}.items():
            live.put(key, body)
        records = {key: until(f"{key} is complete", live.settled, key) for key in pictures}
        refused = until("the PNG is rejected", live.settled, "master/png.png", "rejected")
        sizes = {
            (output["width"], output["height"])
            for record in records.values()
            for output in record.branches["format-conversion"].outputs.values()
        }
        assert sizes == {SIZE}
        assert "add png to inputFormats" in refused.branches["resizing"].message
        assert all(found.accounted_for for found in audit(live.stack, deep=True))
