"""A CloudFront distribution that serves the outputs of a private bucket."""

import pulumi
import pulumi_aws as aws

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""It caches an output for as long as its Cache-Control says.

Source: CloudFront's developer guide, "Use managed cache policies", CachingOptimized.
"""

MASTER_HEADERS = ("x-amz-meta-key", "x-amz-meta-etag", "x-amz-meta-generation", "x-amz-meta-recipe")
"""The headers with an output's metadata about its master, such as the master's key and checksum."""


class Cdn(pulumi.ComponentResource):
    """A distribution with origin access control: it signs its requests, so the bucket needs no public access.

    `bucket_domain` is the bucket's regional domain name; the bucket's policy must let the distribution read
    (`components.policies.serve_objects`).
    """

    arn: pulumi.Output[str]
    """The distribution's ARN."""
    url: pulumi.Output[str]
    """`https://` and the distribution's domain name; an output's key comes after a slash."""

    def __init__(self, name: str, bucket_domain: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Cdn", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        distribution = self._distribution(bucket_domain, self._access_control(), self._headers())
        self.arn, self.url = distribution.arn, pulumi.Output.concat("https://", distribution.domain_name)
        self.register_outputs({"arn": self.arn, "url": self.url})

    # In quotes, because CloudFront takes 80 ms to import, and only a stack with `cdn` needs it.
    def _access_control(self) -> "aws.cloudfront.OriginAccessControl":
        return aws.cloudfront.OriginAccessControl(
            f"{self._name}-access",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._child,
        )

    def _headers(self) -> "aws.cloudfront.ResponseHeadersPolicy":
        """Hide from viewers what the outputs' metadata say of the masters, which are private."""
        return aws.cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers",
            remove_headers_config={"items": [{"header": header} for header in MASTER_HEADERS]},
            security_headers_config={"content_type_options": {"override": True}},
            opts=self._child,
        )

    def _distribution(
        self,
        bucket_domain: pulumi.Input[str],
        access: "aws.cloudfront.OriginAccessControl",
        headers: "aws.cloudfront.ResponseHeadersPolicy",
    ) -> "aws.cloudfront.Distribution":
        return aws.cloudfront.Distribution(
            f"{self._name}-distribution",
            enabled=True,
            is_ipv6_enabled=True,
            http_version="http2and3",
            origins=[
                {"origin_id": "bucket", "domain_name": bucket_domain, "origin_access_control_id": access.id},
            ],
            default_cache_behavior={
                "target_origin_id": "bucket",
                "viewer_protocol_policy": "redirect-to-https",
                "allowed_methods": ["GET", "HEAD"],
                "cached_methods": ["GET", "HEAD"],
                "cache_policy_id": CACHING_OPTIMIZED,
                "response_headers_policy_id": headers.id,
                # JPEGs are compressed already.
                "compress": False,
            },
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={"cloudfront_default_certificate": True},
            opts=self._child,
        )
