"""Config's resource types: each facet with the calls it is read from."""

from __future__ import annotations

from postureaudit.resources import Facet, ResourceType, ScopeKind, Shape
from postureaudit.services import buckets
from postureaudit.services.config import asks
from postureaudit.services.config.account import AccountPacks, GlobalTypes, account
from postureaudit.services.config.health import Delivery, Health
from postureaudit.services.config.organization import Aggregator, Deployments, organization
from postureaudit.services.config.region import (
    Bucket,
    Packs,
    Remediation,
    Retention,
    Role,
    Settings,
    Status,
    regions,
)
from postureaudit.services.config.rules import RuleHealth, Rules, Triggers
from postureaudit.services.organizations import DELEGATION_CALLS, LOG_ARCHIVE_CALLS, Delegated

_RECORDER = (asks.RECORDERS.call,)
_STATUS = (*_RECORDER, asks.RECORDER_STATUS.call)
_CHANNEL = (asks.CHANNELS.call,)
_RULES = (asks.RULES.call,)
_REMEDIATION = (*_RULES, "config:DescribeRemediationConfigurations")
_AGGREGATOR = (asks.AGGREGATORS.call,)
_POSITION = DELEGATION_CALLS
_RAW_RECORDER = Shape(asks.RECORDERS.call, "ConfigurationRecorders[]")

REGION = ResourceType(
    name="config.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(
            name="Recorder", calls=_RECORDER, shape=_RAW_RECORDER, doc="the customer managed recorder, as is"
        ),
        Facet(name="Settings", calls=_RECORDER, shape=Settings),
        Facet(name="Status", calls=_STATUS, shape=Status),
        Facet(name="Channel", calls=_CHANNEL, shape=Shape(asks.CHANNELS.call, "DeliveryChannels[]")),
        Facet(name="HasChannel", calls=_CHANNEL, shape=bool),
        Facet(name="Delivery", calls=(*_CHANNEL, *_STATUS, asks.CHANNEL_STATUS.call), shape=Delivery),
        Facet(name="Bucket", calls=(*_CHANNEL, *buckets.OWNER_CALLS, *LOG_ARCHIVE_CALLS), shape=Bucket),
        Facet(name="Retention", calls=(asks.RETENTION.call,), shape=Retention),
        Facet(name="Rules", calls=_RULES, shape=Rules),
        Facet(name="Triggers", calls=(*_RULES, *_RECORDER, asks.RULE_STATUS.call), shape=Triggers),
        Facet(
            name="RuleHealth",
            calls=(*_RULES, asks.RULE_STATUS.call, "lambda:GetFunctionConfiguration"),
            shape=RuleHealth,
        ),
        Facet(name="Packs", calls=(asks.PACKS.call,), shape=Packs),
        Facet(name="PackHealth", calls=(asks.PACK_STATUS.call,), shape=Health),
        Facet(name="Remediation", calls=_REMEDIATION, shape=Remediation),
        Facet(
            name="RemediationHealth",
            calls=(
                *_REMEDIATION,
                "ssm:DescribeDocument",
                "config:DescribeRemediationExecutionStatus",
                "iam:GetRole",
            ),
            shape=Health,
        ),
        Facet(name="Role", calls=("iam:GetRole",), shape=Role),
    ),
    produce=regions,
)
ACCOUNT = ResourceType(
    name="config.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(name="GlobalTypes", calls=_STATUS, shape=GlobalTypes),
        Facet(name="Packs", calls=(asks.PACKS.call,), shape=AccountPacks),
        Facet(name="Recorder", calls=_STATUS, shape=_RAW_RECORDER, doc="the recorder of GlobalTypes.Home"),
        Facet(name="RecordingRegion", calls=_STATUS, shape=str, doc="a region whose recorder is on, or none"),
    ),
    produce=account,
)
ORGANIZATION = ResourceType(
    name="config.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Aggregator", calls=(*_AGGREGATOR, *_POSITION), shape=Aggregator),
        Facet(
            name="AggregatorHealth",
            calls=(*_AGGREGATOR, *_POSITION, "config:DescribeConfigurationAggregatorSourcesStatus"),
            shape=Health,
        ),
        Facet(name="Delegation", calls=(*_AGGREGATOR, *_POSITION), shape=Delegated),
        Facet(
            name="Deployments",
            calls=(
                *_POSITION,
                asks.ORGANIZATION_PACKS.call,
                asks.ORGANIZATION_RULES.call,
                "config:GetOrganizationConformancePackDetailedStatus",
                "config:GetOrganizationConfigRuleDetailedStatus",
            ),
            shape=Deployments,
        ),
    ),
    produce=organization,
)
TYPES = (REGION, ACCOUNT, ORGANIZATION)
