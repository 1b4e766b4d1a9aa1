"""docs/use-it-in-your-app.md: its Python runs unchanged, from the upload to the deletion."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from components.stack_file import ROOT
from local.emulator import CREDENTIALS
from ops import loopback
from ops.presign import presigned_post
from tests.e2e.conftest import Live, picture, until

PAGE = (ROOT / "docs" / "use-it-in-your-app.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def app(live: Live, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names that the page's code defines, with the environment pointing to the local stack."""
    emulator = live.deployment.emulator
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", emulator.region)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    found: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "use-it-in-your-app.md", "exec"), found)  # noqa: S102 - the project's own page
    return found


def post(form: dict[str, Any], body: bytes, content_type: str = "image/png") -> int:
    """Post a form as a browser does, and return the status."""
    boundary = "----form"
    fields = {**form["fields"], "Content-Type": content_type}
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    data = "".join([*parts, head]).encode() + body + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], data, headers, method="POST")  # noqa: S310 - on loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_pages_code_uploads_follows_links_and_deletes(live: Live, app: dict[str, Any]) -> None:
    """Each function of the page works as described."""
    key = "master/app/a b.png"
    queue_url = app["follow"](live.stack.bucket, "my-app")
    assert post(app["upload_form"](live.stack.bucket, key), picture()) == 204
    finished: Iterator[tuple[str, str, dict[str, Any]]] = app["finished"](queue_url)
    what, outputs = next((what, outputs) for done, what, outputs in finished if done == key)
    assert what == "complete"
    assert outputs["converted/app/a b.jpg"]["width"] == 60
    assert (
        app["url_of"]("https://cdn.example", "converted/app/a b.jpg") == "https://cdn.example/converted/app/a%20b.jpg"
    )
    for output, facts in outputs.items():
        with urllib.request.urlopen(app["link_of"](live.stack.bucket, output)) as answer:  # noqa: S310 - on loopback
            assert len(answer.read()) == facts["bytes"]
    app["delete"](live.stack.bucket, key)
    assert next(what for done, what, _ in finished if done == key and what != "complete") == "deleted"


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"x" * 1001, "image/png"), (b"", "image/png"), (b"<html>", "text/html")]
)
def test_a_form_refuses_large_empty_and_non_image_files(live: Live, body: bytes, content_type: str) -> None:
    """S3 refuses a file that is too large, empty or of another type, and stores nothing."""
    form = presigned_post(live.stack, "master/app/refused.png", max_bytes=1000)
    assert post(form, body, content_type) in {400, 403}
    assert live.head("master/app/refused.png") is None


def test_a_form_accepts_only_its_signed_key(live: Live) -> None:
    """A form with another key is refused, and one with the signed key is accepted."""
    form = presigned_post(live.stack, "master/app/mine.png", max_bytes=10_000)
    other = {**form, "fields": {**form["fields"], "key": "master/app/theirs.png"}}
    assert post(other, picture()) == 403
    assert post(form, picture()) == 204
    until("it is complete", live.settled, "master/app/mine.png")


def test_the_uploader_policy_allows_only_uploads(live: Live) -> None:
    """A user with the policy from the stack's output may put a master, but not write, read or delete outputs."""
    iam, name = live.client("iam"), "uploader"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="upload", PolicyDocument=live.deployment.outputs["uploaderPolicy"])
    secret = iam.create_access_key(UserName=name)["AccessKey"]
    s3: Any = boto3.client(
        "s3",
        endpoint_url=live.deployment.emulator.endpoint,
        region_name=live.deployment.emulator.region,
        aws_access_key_id=secret["AccessKeyId"],
        aws_secret_access_key=secret["SecretAccessKey"],
        config=Config(proxies=loopback.NO_PROXIES),
    )
    s3.put_object(Bucket=live.stack.bucket, Key="master/app/theirs.png", Body=picture())
    for call, extra in ((s3.put_object, {"Body": b""}), (s3.get_object, {}), (s3.delete_object, {})):
        with pytest.raises(s3.exceptions.ClientError, match=r"AccessDenied|Forbidden|403"):
            call(Bucket=live.stack.bucket, Key="converted/theirs.jpg", **extra)
    assert json.loads(live.deployment.outputs["uploaderPolicy"])["Version"]
