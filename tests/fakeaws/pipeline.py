"""Builders of what carries a signal to a human: buses and rules, topics, queues, functions and alarms."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from .basics import Json, now
from .policies import allow_service, as_text, managed_key_policy, topic_policy

ENABLED_FOR_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_NEEDS_CONFIRMING = ("http", "https", "email", "email-json")


class Pipeline:
    """The part of a Region on a signal's way; see Region for the state."""

    name: str
    account: Any
    events: Json
    sns: Json
    sqs: Json
    cloudwatch: Json
    responders: Json
    workloads: Json
    logs: Json
    kms: Json

    def arn(self, service: str, rest: str) -> str:
        """An ARN of this account and region."""
        raise NotImplementedError

    def add_bus(self, name: str, *, policy: Json | str | None = None, **fields: Any) -> str:
        """An event bus (or a policy for the default one); its ARN."""
        arn = self.arn("events", f"event-bus/{name}")
        found = self.events["buses"].setdefault(name, {"bus": {}, "rules": {}})
        times = {} if name == "default" else {"CreationTime": now(days=9), "LastModifiedTime": now(days=9)}
        found["bus"] |= {"Name": name, "Arn": arn, **times, **fields}
        if policy:
            found["bus"]["Policy"] = as_text(policy)
        return arn

    def add_event_rule(
        self,
        name: str,
        *,
        pattern: Json | str | None = None,
        schedule: str | None = None,
        state: str = "ENABLED",
        bus: str = "default",
        targets: Iterable[Json | str] = (),
        **fields: Any,
    ) -> str:
        """An EventBridge rule and its targets (bare ARNs are given Ids); its ARN. `state` has three values."""
        rest = f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}"
        rule = {"Name": name, "Arn": self.arn("events", rest), "State": state, "EventBusName": bus}
        if pattern is not None:
            rule["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
        if schedule is not None:
            rule["ScheduleExpression"] = schedule
        listed = [
            {"Id": f"target-{number}", "Arn": item} if isinstance(item, str) else item
            for number, item in enumerate(targets, 1)
        ]
        self.events["buses"][bus]["rules"][name] = {
            "rule": {**rule, **fields},
            "targets": {item["Id"]: dict(item) for item in listed},
        }
        return rule["Arn"]

    def add_archive(self, name: str, *, bus: str = "default", **fields: Any) -> None:
        """An archive of a bus's events."""
        source = self.events["buses"][bus]["bus"]["Arn"]
        found = {"ArchiveName": name, "EventSourceArn": source, "State": "ENABLED", "RetentionDays": 0}
        counts = {"SizeBytes": 0, "EventCount": 0, "CreationTime": now(days=9)}
        self.events["archives"][name] = {**found, **counts, **fields}

    def add_api_destination(
        self,
        name: str,
        *,
        endpoint: str = "https://example.com/hook",
        state: str = "ACTIVE",
        connection_state: str = "AUTHORIZED",
        **fields: Any,
    ) -> str:
        """An API destination with a connection of the same name; its ARN."""
        suffix = uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.account.id}/{self.name}/{name}")
        connection = self.arn("events", f"connection/{name}/{suffix}")
        self.events["connections"][name] = {
            "ConnectionArn": connection,
            "Name": name,
            "ConnectionState": connection_state,
            "AuthorizationType": "API_KEY",
            "CreationTime": now(days=9),
            "LastModifiedTime": now(days=9),
            "LastAuthorizedTime": now(days=9),
        }
        arn = self.arn("events", f"api-destination/{name}/{suffix}")
        self.events["destinations"][name] = {
            "ApiDestinationArn": arn,
            "Name": name,
            "ApiDestinationState": state,
            "ConnectionArn": connection,
            "InvocationEndpoint": endpoint,
            "HttpMethod": "POST",
            "InvocationRateLimitPerSecond": 300,
            "CreationTime": now(days=9),
            "LastModifiedTime": now(days=9),
            **fields,
        }
        return arn

    def add_topic(
        self,
        name: str,
        *,
        policy: Json | str | None = None,
        kms: str | None = None,
        subscriptions: Iterable[Json] = (),
        **attributes: str,
    ) -> str:
        """A topic, with AWS's default policy unless one is given; its ARN.

        A subscription is {Protocol, Endpoint} and, if wanted, confirmed (default: True), deleted, owner,
        filter_policy, scope, redrive (a queue's ARN), and any attribute in AWS's spelling."""
        arn = self.arn("sns", name)
        found = {
            "Policy": as_text(policy) or topic_policy(arn),
            "Owner": self.account.id,
            "TopicArn": arn,
            "DisplayName": "",
            **({"KmsMasterKeyId": kms} if kms else {}),
            **({"FifoTopic": "true"} if name.endswith(".fifo") else {}),
            **attributes,
        }
        self.sns["topics"][arn] = {"Attributes": found, "Subscriptions": {}}
        for item in subscriptions:
            self.add_subscription(arn, **item)
        return arn

    def add_subscription(
        self,
        topic: str,
        *,
        Protocol: str,
        Endpoint: str,
        confirmed: bool = True,
        deleted: bool = False,
        owner: str | None = None,
        filter_policy: Json | str | None = None,
        scope: str | None = None,
        redrive: str | None = None,
        **attributes: str,
    ) -> str:
        """A subscription to a topic of this region; the ARN it has, or will have once it is confirmed."""
        known = self.sns["topics"][topic]["Subscriptions"]
        # A uuid of what it is: the same world has the same ARNs every time.
        arn = f"{topic}:{uuid.uuid5(uuid.NAMESPACE_URL, f'{topic} {Protocol} {Endpoint} {len(known)}')}"
        asked = confirmed and Protocol in _NEEDS_CONFIRMING
        found = {
            "SubscriptionArn": arn,
            "TopicArn": topic,
            "Protocol": Protocol,
            "Endpoint": Endpoint,
            "Owner": owner or self.account.id,
            "PendingConfirmation": "false" if confirmed else "true",
            "ConfirmationWasAuthenticated": "false" if asked or not confirmed else "true",
            "RawMessageDelivery": "false",
            **attributes,
        }
        if filter_policy is not None:
            found["FilterPolicy"] = as_text(filter_policy) or "{}"
            found["FilterPolicyScope"] = scope or "MessageAttributes"
        if redrive:
            found["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": redrive})
        known[arn] = {"Attributes": found, "Deleted": deleted}
        return arn

    def add_queue(
        self,
        name: str,
        *,
        policy: Json | str | None = None,
        kms: str | None = None,
        **attributes: str,
    ) -> str:
        """A queue (without a policy unless one is given); its ARN."""
        arn = self.arn("sqs", name)
        at = str(int(now(days=9).timestamp()))
        self.sqs["queues"][name] = {
            "QueueArn": arn,
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "CreatedTimestamp": at,
            "LastModifiedTimestamp": at,
            "VisibilityTimeout": "30",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "DelaySeconds": "0",
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "false" if kms else "true",
            **({"KmsMasterKeyId": kms, "KmsDataKeyReusePeriodSeconds": "300"} if kms else {}),
            **({"Policy": str(as_text(policy))} if policy else {}),
            **({"FifoQueue": "true"} if name.endswith(".fifo") else {}),
            **attributes,
        }
        return arn

    def add_function(
        self,
        name: str,
        *,
        policy: Iterable[Json] = (),
        allow: tuple[str, str | None] | None = None,
        state: str = "Active",
        concurrency: int | None = None,
        aliases: Mapping[str, Iterable[Json]] | None = None,
        **configuration: Any,
    ) -> str:
        """A Lambda function; its ARN. `policy` are statements, `allow` is (service, source ARN) for short;
        an alias has statements of its own."""
        arn = self.arn("lambda", f"function:{name}")
        statements = list(policy)
        if allow:
            sid = f"allow-{allow[0].partition('.')[0]}"
            statements.append(
                allow_service(allow[0], "lambda:InvokeFunction", arn, source_arn=allow[1], sid=sid)
            )
        found = {
            "FunctionName": name,
            "FunctionArn": arn,
            "Runtime": "python3.13",
            "Role": self.account.arn("iam", f"role/{name}"),
            "Handler": "app.handler",
            "CodeSize": 1000,
            "Description": "",
            "Timeout": 30,
            "MemorySize": 128,
            "LastModified": "2026-01-01T00:00:00.000+0000",
            "CodeSha256": "x" * 43 + "=",
            "Version": "$LATEST",
            "PackageType": "Zip",
            "State": state,
            "LastUpdateStatus": "Successful",
            **configuration,
        }
        self.workloads["functions"].append(
            {
                "Configuration": found,
                "Policies": {"": statements, **{key: list(own) for key, own in (aliases or {}).items()}},
                "Concurrency": concurrency,
            }
        )
        return arn

    def add_state_machine(self, name: str, *, status: str = "ACTIVE", **fields: Any) -> str:
        """A Step Functions state machine; its ARN."""
        arn = self.arn("states", f"stateMachine:{name}")
        self.responders["machines"][arn] = {
            "stateMachineArn": arn,
            "name": name,
            "status": status,
            "definition": '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}',
            "roleArn": self.account.arn("iam", f"role/{name}"),
            "type": "STANDARD",
            "creationDate": now(days=9),
            **fields,
        }
        return arn

    def add_document(self, name: str, *, kind: str = "Automation", **fields: Any) -> str:
        """A document of the account's own; the ARN that a rule aims at."""
        self.responders["documents"][name] = {
            "Name": name,
            "Owner": self.account.id,
            "Status": "Active",
            "DocumentType": kind,
            "DefaultVersion": "1",
            "LatestVersion": "1",
            **fields,
        }
        return self.arn("ssm", f"automation-definition/{name}:$DEFAULT")

    def add_stream(self, name: str, *, status: str = "ACTIVE", **fields: Any) -> str:
        """A Kinesis data stream; its ARN."""
        arn = self.arn("kinesis", f"stream/{name}")
        self.responders["streams"][name] = {
            "StreamName": name,
            "StreamARN": arn,
            "StreamStatus": status,
            "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": now(days=9),
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
            "OpenShardCount": 4,
            "ConsumerCount": 0,
            **fields,
        }
        return arn

    def add_delivery_stream(self, name: str, *, status: str = "ACTIVE", **fields: Any) -> str:
        """A Firehose delivery stream; its ARN."""
        arn = self.arn("firehose", f"deliverystream/{name}")
        self.responders["delivery_streams"][name] = {
            "DeliveryStreamName": name,
            "DeliveryStreamARN": arn,
            "DeliveryStreamStatus": status,
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "CreateTimestamp": now(days=9),
            "Destinations": [{"DestinationId": "destinationId-000000000001"}],
            "HasMoreDestinations": False,
            **fields,
        }
        return arn

    def add_metric_filter(
        self,
        group: str,
        name: str,
        pattern: str,
        metric: str,
        namespace: str = "CISBenchmark",
        *,
        value: str = "1",
        **fields: Any,
    ) -> None:
        """A metric filter on a log group."""
        made = {"metricName": metric, "metricNamespace": namespace, "metricValue": value}
        self.logs["metric_filters"].append(
            {
                "filterName": name,
                "filterPattern": pattern,
                "metricTransformations": [made],
                "creationTime": 1_700_000_000_000,
                "logGroupName": group,
                **fields,
            }
        )

    def add_alarm(
        self,
        name: str,
        metric: str,
        namespace: str = "CISBenchmark",
        *,
        threshold: float = 1,
        actions: Iterable[str] = (),
        enabled: bool = True,
        **fields: Any,
    ) -> str:
        """A metric alarm that rings at the first event; its ARN. `fields` in AWS's spelling win."""
        found = {
            "MetricName": metric,
            "Namespace": namespace,
            "Statistic": "Sum",
            "Dimensions": [],
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": float(threshold),
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        }
        return self._alarm("metric", name, actions, enabled, {**found, **fields})

    def add_composite_alarm(
        self, name: str, rule: str, *, actions: Iterable[str] = (), enabled: bool = True, **fields: Any
    ) -> str:
        """A composite alarm, such as ALARM(one) OR ALARM(two); its ARN."""
        return self._alarm("composite", name, actions, enabled, {"AlarmRule": rule, **fields})

    def add_log_alarm(
        self, name: str, query: str, *, actions: Iterable[str] = (), enabled: bool = True, **fields: Any
    ) -> str:
        """An alarm on a scheduled log query; its ARN."""
        scheduled = {
            "QueryString": query,
            "ScheduledQueryRoleARN": self.account.arn("iam", f"role/{name}"),
            "ScheduleConfiguration": {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 300},
            "AggregationExpression": "count(*)",
        }
        found = {
            "ScheduledQueryConfiguration": scheduled,
            "QueryResultsToEvaluate": 1,
            "QueryResultsToAlarm": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }
        return self._alarm("log", name, actions, enabled, {**found, **fields})

    def _alarm(self, kind: str, name: str, actions: Iterable[str], enabled: bool, fields: Json) -> str:
        arn = self.arn("cloudwatch", f"alarm:{name}")
        self.cloudwatch[kind][name] = {
            "AlarmName": name,
            "AlarmArn": arn,
            "AlarmConfigurationUpdatedTimestamp": now(days=9),
            "ActionsEnabled": enabled,
            "OKActions": [],
            "AlarmActions": list(actions),
            "InsufficientDataActions": [],
            "StateValue": "OK",
            "StateReason": "Threshold not crossed",
            "StateUpdatedTimestamp": now(days=8),
            **fields,
        }
        return arn

    def add_mute_rule(
        self, name: str, alarms: Iterable[str], *, status: str = "ACTIVE", **fields: Any
    ) -> str:
        """A rule that mutes alarms; its ARN."""
        arn = self.arn("cloudwatch", f"alarm-mute-rule:{name}")
        self.cloudwatch["mute_rules"][name] = {
            "Name": name,
            "AlarmMuteRuleArn": arn,
            "Rule": {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT4H"}},
            "MuteTargets": {"AlarmNames": list(alarms)},
            "Status": status,
            "MuteType": "RECURRING",
            "LastUpdatedTimestamp": now(days=1),
            **fields,
        }
        return arn

    def add_alias(self, name: str, key: str) -> str:
        """An alias of a key (by id or ARN); its ARN."""
        self.kms["aliases"][name] = key.rpartition("/")[2]
        return self.arn("kms", name)

    def add_managed_key(self, service: str) -> str:
        """The AWS managed key behind alias/aws/SERVICE; its ARN."""
        seed = f"{self.account.id}/{self.name}/{service}"
        name = str(uuid.UUID(hashlib.sha256(seed.encode()).hexdigest()[:32]))
        arn = self.arn("kms", f"key/{name}")
        if name not in self.kms["keys"]:
            self.kms["keys"][name] = {
                "metadata": {
                    "AWSAccountId": self.account.id,
                    "KeyId": name,
                    "Arn": arn,
                    "CreationDate": now(days=400),
                    "Enabled": True,
                    "Description": f"Default key that protects my {service.upper()} data when no other key "
                    "is defined",
                    "KeyUsage": "ENCRYPT_DECRYPT",
                    "KeyState": "Enabled",
                    "Origin": "AWS_KMS",
                    "KeyManager": "AWS",
                    "KeySpec": "SYMMETRIC_DEFAULT",
                    "MultiRegion": False,
                },
                "rotation": True,
                "policy": managed_key_policy(service, self.name, self.account.id),
                "shared": False,
            }
            self.kms["aliases"][f"alias/aws/{service}"] = name
        return arn

    def add_membership(self, *, status: str = "Active", **fields: Any) -> str:
        """A membership of AWS Security Incident Response; its id."""
        found = f"m-{hashlib.sha256(self.account.id.encode()).hexdigest()[:17]}"
        self.responders["memberships"][found] = {
            "membershipId": found,
            "accountId": self.account.id,
            "region": self.name,
            "membershipName": "incident response",
            "membershipArn": self.arn("security-ir", f"membership/{found}"),
            "membershipStatus": status,
            "membershipActivationTimestamp": now(days=9),
            "customerType": "Standalone",
            "numberOfAccountsCovered": 1,
            "incidentResponseTeam": [
                {"name": "SOC", "jobTitle": "Security", "email": "soc@example.com"},
                {"name": "CISO", "jobTitle": "Security", "email": "ciso@example.com"},
            ],
            **fields,
        }
        return found
