"""Converting: arguments, output, and no effect on other users of Pillow."""

import io
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image, ImageFile

from handlers.imaging import Jpeg, Limits, convert, describe, resize

from .pictures import Pipe, jpeg, opened, photo, saved


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"quality": 0}, ValueError),
        ({"quality": 101}, ValueError),
        ({"quality": "high"}, TypeError),
        ({"quality": True}, TypeError),
        ({"reencode": "never"}, ValueError),
        ({"background": (256, 0, 0)}, ValueError),
        ({"background": (1, 2)}, ValueError),
        ({"background": "red"}, ValueError),
        ({"background": 7}, ValueError),
        ({"limits": 5}, TypeError),
    ],
)
def test_a_bad_option_is_named_in_the_error(options: dict[str, Any], error: type[Exception]) -> None:
    """A bad option is a caller's error, not a rejection: the message names the option."""
    with pytest.raises(error, match=str(next(iter(options)))):
        convert(jpeg(), **options)


@pytest.mark.parametrize("widths", [{}, {"a": 0}, {"a": -5}])
def test_impossible_widths_are_refused(widths: dict[str, int]) -> None:
    """An empty mapping and a width below 1 are errors."""
    with pytest.raises(ValueError, match=r"size|width"):
        resize(jpeg(), widths)


@pytest.mark.parametrize("widths", [[100], {"a": 1.5}, {1: 10}, {"a": True}, None])
def test_widths_of_another_type_are_refused(widths: Any) -> None:
    """Sizes map names to whole numbers."""
    with pytest.raises(TypeError, match="sizes"):
        resize(jpeg(), widths)


@pytest.mark.parametrize("source", ["path.jpg", None, 5, io.StringIO("text")])
def test_a_source_of_another_type_is_refused(source: Any) -> None:
    """Only bytes and binary streams are accepted; a path is not."""
    for call in (convert, describe):
        with pytest.raises(TypeError, match="bytes"):
            call(source)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO, Pipe])
def test_each_kind_of_source_gives_the_same_result(wrap: Any) -> None:
    """Bytes, buffers, files and unseekable streams give the same result."""
    data = saved(photo(), "PNG")
    assert convert(wrap(data)) == convert(data)
    assert describe(wrap(data)) == describe(data)


def test_the_output_is_bytes_with_attributes() -> None:
    """The output is bytes, with attributes that say how it was made."""
    output = convert(jpeg())
    assert isinstance(output, bytes)
    assert type(output) is Jpeg
    assert (output.salvaged, output.copied, output.warnings) == (False, True, ())


def test_the_size_is_unchanged() -> None:
    """A converted picture has its master's size."""
    assert opened(convert(saved(photo((123, 77)), "PNG"))).size == (123, 77)


def test_the_global_state_of_pillow_is_unchanged() -> None:
    """Limits and salvage apply to one call, not to the process, and Pillow emits no warning."""
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        large = saved(Image.new("1", (9_500, 9_500)), "PNG")
        assert describe(convert(large, limits=Limits(max_pixels=100_000_000))).width == 9_500
        convert(jpeg()[:-300], salvage=True)
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK)


def test_concurrent_calls_do_not_affect_each_other() -> None:
    """Strict and salvaging calls run concurrently without affecting each other."""
    whole, short = jpeg(photo((640, 480))), jpeg(photo((640, 480)))[:-5000]

    def work(number: int) -> tuple[bytes, bool]:
        output = convert(short if number % 2 else whole, salvage=bool(number % 2), reencode="always")
        return bytes(output), output.salvaged

    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(work, range(40)))
    assert {salvaged for _, salvaged in results} == {True, False}
    assert len(results) == 2


def test_imaging_loads_no_other_format_and_no_aws() -> None:
    """Only the plug-ins in use are loaded: no boto3, no logging, and LittleCMS only for profiles."""
    code = (
        "import sys, io\n"
        "from handlers.imaging import convert, resize, describe\n"
        "data = sys.stdin.buffer.read()\n"
        "convert(data, reencode='always'); resize(data, {'a': 10}); describe(data)\n"
        "print(' '.join(sys.modules))\n"
    )
    child = subprocess.run([sys.executable, "-c", code], input=jpeg(), capture_output=True, check=True)
    modules = set(child.stdout.decode().split())
    plugins = {name for name in modules if name.endswith("ImagePlugin")}
    assert plugins == {"PIL.JpegImagePlugin", "PIL.GifImagePlugin"}
    assert not modules & {"boto3", "botocore", "aws_lambda_powertools", "PIL.ImageCms", "xml.etree", "defusedxml"}
