"""CloudFront: the emulator stores distributions but does not serve them."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator


def origin_access_control(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set how a distribution signs its requests to a bucket."""
    made = emulator.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": name,
            "OriginAccessControlOriginType": inputs["originAccessControlOriginType"],
            "SigningBehavior": inputs["signingBehavior"],
            "SigningProtocol": inputs["signingProtocol"],
        }
    )
    return {"id": made["OriginAccessControl"]["Id"]}


def response_headers(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set which headers a distribution removes and adds."""
    removed = [{"Header": item["header"]} for item in inputs["removeHeadersConfig"]["items"]]
    made = emulator.client("cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": name,
            "RemoveHeadersConfig": {"Quantity": len(removed), "Items": removed},
            "SecurityHeadersConfig": {
                "ContentTypeOptions": {
                    "Override": inputs["securityHeadersConfig"]["contentTypeOptions"]["override"],
                },
            },
        }
    )
    return {"id": made["ResponseHeadersPolicy"]["Id"]}


def distribution(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a distribution."""
    behaviour = inputs["defaultCacheBehavior"]
    made = emulator.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": "",
            "Enabled": inputs["enabled"],
            "Origins": {"Quantity": len(inputs["origins"]), "Items": [_origin(origin) for origin in inputs["origins"]]},
            "DefaultCacheBehavior": {
                "TargetOriginId": behaviour["targetOriginId"],
                "ViewerProtocolPolicy": behaviour["viewerProtocolPolicy"],
                "CachePolicyId": behaviour["cachePolicyId"],
                "ResponseHeadersPolicyId": behaviour["responseHeadersPolicyId"],
            },
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
        "DomainName": origin["domainName"],
        "OriginAccessControlId": origin["originAccessControlId"],
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
