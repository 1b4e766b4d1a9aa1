"""`cdn` and `corsOrigins`: outputs are public, masters are not, and only the stack's own pages may upload."""

import json

import pytest

from components.branches import BRANCHES
from components.config import ConfigError, StackConfig
from handlers.marks import Mark
from tests.recording import ACCOUNT, CDN_DOMAIN, Recording, allowed, arn, physical, recorded, statements


def served() -> Recording:
    """Return the program with a distribution."""
    return recorded(cdn="true")


def test_the_cdn_may_read_outputs_and_no_masters() -> None:
    """The bucket policy lets this distribution read the outputs of the branches, and nothing else."""
    *_, read = statements(served().mocks.one("BucketPolicy", "images-policy").inputs["policy"])
    bucket = arn("Bucket", "images")
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    prefixes = [prefix for row in BRANCHES if (prefix := row.prefix_of(StackConfig()))]
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", [f"{bucket}/{prefix}*" for prefix in prefixes])
    assert read["Condition"] == {"StringEquals": {"AWS:SourceArn": arn("Distribution", "images-cdn-distribution")}}


def test_the_bucket_stays_private() -> None:
    """The distribution signs its requests, so all public access blocks stay on."""
    (block,) = served().mocks.of_type("BucketPublicAccessBlock")
    assert [value for name, value in block.inputs.items() if name != "bucket"] == [True] * 4
    access = served().mocks.one("OriginAccessControl", "images-cdn-access").inputs
    assert (access["signingBehavior"], access["signingProtocol"]) == ("always", "sigv4")


def test_the_distribution_reads_the_bucket_in_its_region_over_https() -> None:
    """The origin is the regional endpoint, plain HTTP is redirected to HTTPS, and only GET and HEAD are allowed."""
    distribution = served().mocks.one("Distribution", "images-cdn-distribution").inputs
    (origin,) = distribution["origins"]
    assert origin["domainName"] == f"{physical('images')}.s3.eu-central-1.amazonaws.com"
    behaviour = distribution["defaultCacheBehavior"]
    assert behaviour["viewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["allowedMethods"] == ["GET", "HEAD"]
    assert served().outputs["cdnUrl"] == f"https://{CDN_DOMAIN}"


def test_viewers_see_nothing_of_the_master() -> None:
    """An output's metadata name its master and the master's checksum, although masters are private."""
    behaviour = served().mocks.one("Distribution", "images-cdn-distribution").inputs["defaultCacheBehavior"]
    headers = served().mocks.one("ResponseHeadersPolicy", "images-cdn-headers")
    assert behaviour["responseHeadersPolicyId"] == f"{physical('images-cdn-headers')}-id"
    removed = {item["header"] for item in headers.inputs["removeHeadersConfig"]["items"]}
    mark = Mark(key="master/cat.png", etag="e", generation=1, recipe="r")
    assert removed == {f"x-amz-meta-{name}" for name in mark.as_metadata()}
    assert headers.inputs["securityHeadersConfig"] == {"contentTypeOptions": {"override": True}}


def test_cdn_and_cors_are_off_by_default() -> None:
    """Both are off by default."""
    assert not recorded().mocks.of_type("Distribution")
    assert not recorded().mocks.of_type("BucketCorsConfiguration")
    assert recorded().outputs["cdnUrl"] is None


def test_pages_of_the_configured_origins_may_upload() -> None:
    """Only these pages may upload, and they can read an upload's ETag."""
    program = recorded(corsOrigins='["https://www.example.com"]')
    (rule,) = program.mocks.one("BucketCorsConfiguration", "images-cors").inputs["corsRules"]
    assert rule["allowedOrigins"] == ["https://www.example.com"]
    assert {"POST", "PUT"} <= set(rule["allowedMethods"])
    assert rule["exposeHeaders"] == ["ETag"]


@pytest.mark.parametrize("text", ['["https://a.example/path"]', '["a.example"]', '["*"]', "https://a.example", "[1]"])
def test_an_invalid_origin_is_refused(text: str) -> None:
    """A browser sends neither a path nor a bare host as origin, so neither would ever match; `*` is refused too."""
    with pytest.raises(
        ConfigError, match=r'expected a list of different origins, such as \["https://www.example.com"\]'
    ):
        StackConfig.parse({"pixelcascade:corsOrigins": text})


@pytest.mark.parametrize(("key", "text"), [("cdn", "true"), ("corsOrigins", '["https://a.example"]')])
def test_cdn_and_cors_are_refused_for_an_adopted_bucket(key: str, text: str) -> None:
    """Both are settings of the bucket, which the stack must not change."""
    with pytest.raises(ConfigError, match=rf"pixelcascade:{key}: .* apply it by hand with `aws s3api put-bucket-"):
        StackConfig.parse({"pixelcascade:bucket": "theirs", f"pixelcascade:{key}": text})


def test_the_uploader_policy_allows_only_uploads() -> None:
    """It allows uploads of masters, including multipart uploads, and use of the masters' key if there is one."""
    bucket = arn("Bucket", "images")
    uploads = {("s3:PutObject", f"{bucket}/master/*"), ("s3:AbortMultipartUpload", f"{bucket}/master/*")}
    assert allowed(recorded().outputs["uploaderPolicy"]) == uploads
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    policy = recorded(masterKmsKey=key).outputs["uploaderPolicy"]
    assert allowed(policy) == uploads | {("kms:GenerateDataKey", key), ("kms:Decrypt", key)}
    assert json.loads(policy)["Version"] == "2012-10-17"
