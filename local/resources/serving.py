"""CloudFront: the emulator stores distributions but does not serve them."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator
from local.resources.arguments import argument, arguments


def origin_access_control(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set how a distribution signs its requests to a bucket."""
    signing = arguments(inputs, "originAccessControlOriginType", "signingBehavior", "signingProtocol")
    made = emulator.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={"Name": name, **signing}
    )
    return {"id": made["OriginAccessControl"]["Id"]}


def response_headers(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set which headers a distribution removes and adds."""
    removed = argument(inputs["removeHeadersConfig"]["items"])
    made = emulator.client("cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": name,
            "RemoveHeadersConfig": {"Quantity": len(removed), "Items": removed},
            **arguments(inputs, "securityHeadersConfig"),
        }
    )
    return {"id": made["ResponseHeadersPolicy"]["Id"]}


def distribution(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a distribution."""
    behaviour = ("targetOriginId", "viewerProtocolPolicy", "cachePolicyId", "responseHeadersPolicyId")
    made = emulator.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": "",
            "Enabled": inputs["enabled"],
            "Origins": {"Quantity": len(inputs["origins"]), "Items": [_origin(origin) for origin in inputs["origins"]]},
            "DefaultCacheBehavior": arguments(inputs["defaultCacheBehavior"], *behaviour),
        }
    )["Distribution"]
    return {"id": made["Id"], "arn": made["ARN"], "domainName": made["DomainName"]}


CREATORS = {
    "aws:cloudfront/distribution:Distribution": distribution,
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": response_headers,
    "aws:cloudfront/originAccessControl:OriginAccessControl": origin_access_control,
}


def _origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Id": origin["originId"],
        **arguments(origin, "domainName", "originAccessControlId"),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
