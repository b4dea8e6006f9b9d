"""The call mix of one region: 25 calls over ten services, two levels deep."""

from __future__ import annotations

FIRST: list[tuple[str, str, dict[str, object]]] = [
    ("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}),
    ("cloudtrail", "ListEventDataStores", {}),
    ("config", "DescribeConfigurationRecorders", {}),
    ("config", "DescribeConfigurationRecorderStatus", {}),
    ("config", "DescribeDeliveryChannels", {}),
    ("config", "DescribeDeliveryChannelStatus", {}),
    ("config", "DescribeConfigRules", {}),
    ("config", "DescribeRetentionConfigurations", {}),
    ("guardduty", "ListDetectors", {}),
    ("securityhub", "DescribeHub", {}),
    ("securityhub", "GetEnabledStandards", {}),
    ("securityhub", "ListEnabledProductsForImport", {}),
    ("securityhub", "ListFindingAggregators", {}),
    ("lambda", "ListFunctions", {}),
    ("eks", "ListClusters", {}),
    ("ecs", "ListClusters", {}),
    ("ec2", "DescribeInstances", {}),
]
SECOND: list[tuple[str, str, dict[str, object]]] = [
    ("cloudtrail", "GetTrailStatus", {"Name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"}),
    (
        "cloudtrail",
        "GetEventSelectors",
        {"TrailName": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"},
    ),
    ("kms", "DescribeKey", {"KeyId": "k"}),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "g"}),
    ("guardduty", "GetDetector", {"DetectorId": "d1"}),
    ("guardduty", "ListFilters", {"DetectorId": "d1"}),
    ("guardduty", "ListPublishingDestinations", {"DetectorId": "d1"}),
    ("securityhub", "GetFindingAggregator", {"FindingAggregatorArn": "arn-a"}),
]
