"""The fake AWS tells the truth about what lies between a signal and a human."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakeaws import Fault, World
from tests.fakeaws.clients import Serve, refused, serving
from tests.fakeaws.pipeline import ENABLED_FOR_READS
from tests.fakeaws.policies import allow_service, policy, topic_policy
from tests.fakeaws.responding import CIS_FILTERS
from tests.fakeaws.scenarios import SCENARIOS
from tests.fakeaws.world import ACCOUNT, ARCHIVE, REGIONS, Region

FINDINGS = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
EVENT = {
    "id": "1",
    "account": ACCOUNT,
    "source": "aws.guardduty",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail-type": "GuardDuty Finding",
    "detail": {},
}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve worlds to boto3."""
    with serving() as start:
        yield start


@pytest.fixture
def world() -> World:
    """One account with nothing in it."""
    found = World()
    found.account()
    return found


@pytest.fixture
def home(world: World) -> Region:
    """Its us-east-1."""
    return world.account().region("us-east-1")


def test_rules_belong_to_a_bus(serve: Serve, world: World, home: Region) -> None:
    """ListRules tells of one bus, the default one unless asked; buses go by name or ARN."""
    home.add_event_rule("plain", pattern=FINDINGS)
    bus = home.add_bus("security", policy=policy(allow_service("x.amazonaws.com", "events:PutEvents", "*")))
    home.add_event_rule("other", pattern=FINDINGS, bus="security", state="DISABLED")
    events = serve(world)("events")

    assert [item["Name"] for item in events.list_rules()["Rules"]] == ["plain"]
    [rule] = events.list_rules(EventBusName=bus)["Rules"]
    assert (rule["State"], rule["Arn"].rpartition(":")[2]) == ("DISABLED", "rule/security/other")
    assert [item["Name"] for item in events.list_event_buses()["EventBuses"]] == ["default", "security"]
    assert "Policy" in events.describe_event_bus(Name="security")
    assert "Policy" not in events.describe_event_bus()
    assert refused(events.list_rules, EventBusName="no")[0] == "ResourceNotFoundException"
    foreign = f"arn:aws:events:us-east-1:{ARCHIVE}:event-bus/default"
    assert refused(events.list_rules, EventBusName=foreign)[0] == "AccessDeniedException"


def test_put_rule_replaces(serve: Serve, world: World, home: Region) -> None:
    """PutRule drops what it is not told again, enables by default, and keeps the targets."""
    home.add_event_rule("r", pattern=FINDINGS, state="DISABLED", targets=["arn:x"], Description="old")
    events = serve(world)("events")

    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.config"]}))

    rule = events.describe_rule(Name="r")
    assert rule["State"] == "ENABLED" and "Description" not in rule and rule["CreatedBy"] == ACCOUNT
    assert events.list_targets_by_rule(Rule="r")["Targets"] == [{"Id": "target-1", "Arn": "arn:x"}]


def test_rules_have_three_states(serve: Serve, world: World) -> None:
    """A rule for read-only calls has the third state, which EnableRule takes away."""
    events = serve(world)("events")
    events.put_rule(Name="r", EventPattern=json.dumps(FINDINGS), State=ENABLED_FOR_READS)
    assert events.describe_rule(Name="r")["State"] == ENABLED_FOR_READS

    events.disable_rule(Name="r")
    events.enable_rule(Name="r")

    assert events.describe_rule(Name="r")["State"] == "ENABLED"


def test_what_rules_refuse(serve: Serve, world: World, home: Region) -> None:
    """No targets on a missing rule, no deletion with targets, no hand on a service's rule, no bad pattern."""
    home.add_event_rule("full", pattern=FINDINGS, targets=["arn:a"])
    home.add_event_rule("theirs", pattern=FINDINGS, ManagedBy="securityhub.amazonaws.com")
    events = serve(world)("events")
    target = {"Targets": [{"Id": "1", "Arn": home.arn("sns", "t")}]}

    assert refused(events.put_targets, Rule="no", **target)[0] == "ResourceNotFoundException"
    assert refused(events.put_targets, Rule="theirs", **target)[0] == "ManagedRuleException"
    assert refused(events.disable_rule, Name="theirs")[0] == "ManagedRuleException"
    assert refused(events.delete_rule, Name="full")[0] == "ValidationException"
    assert refused(events.put_rule, Name="x")[0] == "ValidationException"
    wrong = refused(events.put_rule, Name="x", EventPattern='{"source":"aws.config"}')
    assert wrong[0] == "InvalidEventPatternException"
    events.delete_rule(Name="never-was")
    events.remove_targets(Rule="full", Ids=["target-1"])
    events.delete_rule(Name="full")


def test_put_targets_fails_with_200(serve: Serve, world: World, home: Region) -> None:
    """An entry that fails is counted in a good answer, and the others are set."""
    home.add_event_rule("r", pattern=FINDINGS)
    good, bad = home.arn("sns", "good"), home.arn("sns", "bad")
    world.failing_targets[bad] = ("ConcurrentModificationException", "try again")
    events = serve(world)("events")

    answer = events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": bad}, {"Id": "2", "Arn": good}])

    assert (answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]) == (1, "1")
    assert [item["Arn"] for item in events.list_targets_by_rule(Rule="r")["Targets"]] == [good]
    six = [{"Id": f"{number}", "Arn": good} for number in range(6)]
    assert refused(events.put_targets, Rule="r", Targets=six)[0] == "LimitExceededException"


def test_targets_that_need_a_role(serve: Serve, world: World, home: Region) -> None:
    """State machines need a role, other regions' buses a role or a policy there; topics must be near."""
    home.add_event_rule("r", pattern=FINDINGS)
    away = world.account().region("eu-west-1")
    events = serve(world)("events")

    def put(arn: str, **fields: str) -> dict[str, Any]:
        return {"Rule": "r", "Targets": [{"Id": "1", "Arn": arn, **fields}]}

    machine, bus = home.arn("states", "stateMachine:m"), away.arn("events", "event-bus/default")
    assert "RoleArn is required" in refused(events.put_targets, **put(machine))[1]
    assert refused(events.put_targets, **put(bus))[0] == "AccessDeniedException"
    assert refused(events.put_targets, **put(away.arn("sns", "t")))[0] == "ValidationException"
    assert events.put_targets(**put(bus, RoleArn="arn:role"))["FailedEntryCount"] == 0
    away.add_bus("default", policy=policy({"Principal": {"AWS": ACCOUNT}}))
    assert events.put_targets(**put(bus))["FailedEntryCount"] == 0


def test_bus_permissions(serve: Serve, world: World) -> None:
    """PutPermission adds a statement, replaces the one of the same id, or sets the whole policy."""
    events = serve(world)("events")
    statement = {"Action": "events:PutEvents", "StatementId": "one"}

    events.put_permission(Principal=ARCHIVE, **statement)
    condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-exampleorg1"}
    events.put_permission(Principal="*", Condition=condition, **statement)

    [only] = json.loads(events.describe_event_bus()["Policy"])["Statement"]
    assert only["Principal"] == "*" and only["Condition"]["StringEquals"]
    events.put_permission(Policy=policy())
    assert json.loads(events.describe_event_bus()["Policy"])["Statement"] == []
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()


def test_patterns_are_tried(serve: Serve, world: World) -> None:
    """TestEventPattern asks the world's own matcher, and wants a whole event."""
    world.test_event_pattern = lambda pattern, event: json.loads(event)["source"] in pattern
    events = serve(world)("events")
    ask = {"EventPattern": json.dumps(FINDINGS)}

    assert events.test_event_pattern(**ask, Event=json.dumps(EVENT))["Result"]
    assert not events.test_event_pattern(**ask, Event=json.dumps({**EVENT, "source": "x"}))["Result"]
    assert refused(events.test_event_pattern, **ask, Event='{"source":"x"}')[0] == "ValidationException"


def test_archives_and_api_destinations(serve: Serve, world: World, home: Region) -> None:
    """An API destination stands with its connection; an archive with its bus."""
    home.add_archive("all")
    home.add_api_destination("hook", connection_state="DEAUTHORIZED")
    events = serve(world)("events")

    assert events.list_archives()["Archives"][0]["EventSourceArn"].endswith("event-bus/default")
    [listed] = events.list_api_destinations()["ApiDestinations"]
    [connection] = events.list_connections()["Connections"]
    assert connection["ConnectionState"] == "DEAUTHORIZED"
    assert events.describe_api_destination(Name="hook")["ConnectionArn"] == connection["ConnectionArn"]
    assert listed["ApiDestinationState"] == "ACTIVE"
    assert refused(events.describe_api_destination, Name="no")[0] == "ResourceNotFoundException"


def test_a_new_topic_lets_no_service_in(serve: Serve, world: World) -> None:
    """AWS's own topic policy is for the owner's principals, by AWS:SourceOwner; setting one replaces it."""
    sns = serve(world)("sns")
    arn = sns.create_topic(Name="t")["TopicArn"]

    def statements() -> Any:
        return json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]

    [default] = statements()
    assert default["Principal"] == {"AWS": "*"} and "SNS:Publish" in default["Action"]
    assert default["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    allow = allow_service("events.amazonaws.com", "sns:Publish", arn)
    change = {"TopicArn": arn, "AttributeName": "Policy"}
    sns.set_topic_attributes(**change, AttributeValue=policy(allow))
    assert statements() == [allow]
    sns.set_topic_attributes(**change, AttributeValue=topic_policy(arn, allow))
    assert statements() == [default, allow]
    assert refused(sns.set_topic_attributes, **change, AttributeValue="no")[0] == "InvalidParameter"
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert "KmsMasterKeyId" not in attributes and attributes["SubscriptionsConfirmed"] == "0"


def test_topics_that_are_not_there(serve: Serve, world: World, home: Region) -> None:
    """A missing topic is NotFound, a foreign one is refused, one of another region is no parameter."""
    sns = serve(world)("sns")

    codes = [
        refused(sns.get_topic_attributes, TopicArn=arn)[0::2]
        for arn in (
            home.arn("sns", "no"),
            f"arn:aws:sns:us-east-1:{ARCHIVE}:t",
            f"arn:aws:sns:eu-west-1:{ACCOUNT}:t",
        )
    ]

    assert codes == [("NotFound", 404), ("AuthorizationError", 403), ("InvalidParameter", 400)]


def test_pending_subscriptions(serve: Serve, world: World, home: Region) -> None:
    """What nobody confirmed has no ARN in lists, counts as pending, and cannot be asked by that word."""
    arn = home.add_topic(
        "t",
        subscriptions=[
            {"Protocol": "https", "Endpoint": "https://example.com", "filter_policy": {"severity": ["HIGH"]}},
            {"Protocol": "email", "Endpoint": "a@example.com", "confirmed": False},
            {"Protocol": "email", "Endpoint": "b@example.com", "deleted": True},
        ],
    )
    sns = serve(world)("sns")

    first, *rest = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [item["SubscriptionArn"] for item in rest] == ["PendingConfirmation", "Deleted"]
    found = sns.get_subscription_attributes(SubscriptionArn=first["SubscriptionArn"])["Attributes"]
    assert (found["PendingConfirmation"], found["FilterPolicyScope"]) == ("false", "MessageAttributes")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    counts = [attributes[f"Subscriptions{kind}"] for kind in ("Confirmed", "Pending", "Deleted")]
    assert counts == ["1", "1", "1"]
    word = refused(sns.get_subscription_attributes, SubscriptionArn="PendingConfirmation")
    assert word[0] == "InvalidParameter"


def test_who_must_confirm(serve: Serve, world: World, home: Region) -> None:
    """E-mail, web hooks and other accounts' queues are pending; the account's own are confirmed at once."""
    arn = home.add_topic("t")
    sns = serve(world)("sns")

    def subscribe(protocol: str, endpoint: str) -> str:
        found: str = sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)["SubscriptionArn"]
        return found

    assert subscribe("email", "a@example.com") == "pending confirmation"
    assert subscribe("https", "https://example.com") == "pending confirmation"
    assert subscribe("sqs", f"arn:aws:sqs:us-east-1:{ARCHIVE}:q") == "pending confirmation"
    own = subscribe("sqs", home.arn("sqs", "q"))
    assert own.startswith(arn) and subscribe("sqs", home.arn("sqs", "q")) == own
    sns.unsubscribe(SubscriptionArn=own)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_queues(serve: Serve, world: World, home: Region) -> None:
    """A queue has no policy until it is given one; a missing one has SQS's old code; no names, no answer."""
    client = serve(world)
    home.add_queue("q", kms="alias/aws/sqs")
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]

    assert url == f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["KmsMasterKeyId"] == "alias/aws/sqs" and "Policy" not in found
    assert sqs.list_queues()["QueueUrls"] == [url]
    assert "QueueUrls" not in client("sqs", "eu-west-1").list_queues()
    code, _, status = refused(sqs.get_queue_url, QueueName="no")
    assert (code, status) == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy()})
    assert "Policy" in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]


def test_functions_and_their_policies(serve: Serve, world: World, home: Region) -> None:
    """No policy is an error, an alias has its own, a list shows no state, and statement ids are unique."""
    home.workloads["functions"] = ["plain"]
    home.add_function("bare", state="Inactive", concurrency=0)
    arn = home.add_function("open", allow=("events.amazonaws.com", "arn:rule"), aliases={"live": []})
    client = serve(world)("lambda")

    listed = client.list_functions()["Functions"]
    assert [item["FunctionName"] for item in listed] == ["plain", "bare", "open"]
    assert all("State" not in item for item in listed)
    assert client.get_function_configuration(FunctionName="bare")["State"] == "Inactive"
    assert client.get_function_concurrency(FunctionName="bare")["ReservedConcurrentExecutions"] == 0
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=arn)
    assert refused(client.get_policy, FunctionName="bare")[::2] == ("ResourceNotFoundException", 404)
    assert "Function not found" in refused(client.get_policy, FunctionName="no")[1]
    assert "arn:rule" in client.get_policy(FunctionName=arn)["Policy"]
    live = {"FunctionName": "open", "Qualifier": "live"}
    assert refused(client.get_policy, **live)[0] == "ResourceNotFoundException"
    add = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    client.add_permission(**live, **add)
    assert '"Service": "sns.amazonaws.com"' in client.get_policy(FunctionName=f"{arn}:live")["Policy"]
    assert "sns." not in client.get_policy(FunctionName=arn)["Policy"]
    assert refused(client.add_permission, **live, **add)[0] == "ResourceConflictException"
    client.add_permission(FunctionName="plain", **add)
    assert client.get_policy(FunctionName="plain")["Policy"]


def test_other_targets(serve: Serve, world: World, home: Region) -> None:
    """State machines, documents and streams are found as they are, or are not there in their own words."""
    machine = home.add_state_machine("m", status="DELETING")
    home.add_document("Isolate")
    home.add_stream("s")
    home.add_delivery_stream("d")
    client = serve(world)

    states = client("stepfunctions")
    assert states.describe_state_machine(stateMachineArn=machine)["status"] == "DELETING"
    missing = refused(states.describe_state_machine, stateMachineArn=f"{machine}x")
    assert missing[0] == "StateMachineDoesNotExist"
    assert client("ssm").describe_document(Name="Isolate")["Document"]["Owner"] == ACCOUNT
    assert refused(client("ssm").describe_document, Name="Other")[0] == "InvalidDocument"
    stream = client("kinesis").describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
    assert stream["StreamStatus"] == "ACTIVE"
    found = client("firehose").describe_delivery_stream(DeliveryStreamName="d")
    assert found["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"
    assert refused(client("firehose").describe_delivery_stream, DeliveryStreamName="x")[2] == 400


def test_alarms_of_three_types(serve: Serve, world: World, home: Region) -> None:
    """Without AlarmTypes there are metric alarms only; composite and log alarms have to be asked for."""
    home.add_alarm("m", "Metric", enabled=False)
    home.add_composite_alarm("c", "ALARM(m)")
    home.add_log_alarm("l", "fields @message")
    cloudwatch = serve(world)("cloudwatch")

    def names(**given: Any) -> list[str]:
        found = cloudwatch.describe_alarms(**given)
        kinds = ("CompositeAlarms", "MetricAlarms", "LogAlarms")
        return [item["AlarmName"] for kind in kinds for item in found[kind]]

    assert names() == ["m"]
    assert names(AlarmNames=["c"]) == []
    assert names(AlarmTypes=["CompositeAlarm", "MetricAlarm", "LogAlarm"]) == ["c", "m", "l"]
    assert names(ChildrenOfAlarmName="c") == ["m"] and names(ParentsOfAlarmName="m") == ["c"]
    [found] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert not found["ActionsEnabled"] and found["Threshold"] == 1


def test_alarm_pages_go_through_all_lists(serve: Serve, world: World, home: Region) -> None:
    """One page is a cut through the three lists one after the other: the first may lack a whole type."""
    for number in range(3):
        home.add_alarm(f"m{number}", "Metric")
    for number in range(2):
        home.add_composite_alarm(f"c{number}", "ALARM(m0)")
    cloudwatch = serve(world)("cloudwatch")
    kinds = ["CompositeAlarm", "MetricAlarm", "LogAlarm"]

    first = cloudwatch.describe_alarms(AlarmTypes=kinds, MaxRecords=2)
    assert (len(first["CompositeAlarms"]), first["MetricAlarms"]) == (2, [])
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=kinds, MaxRecords=2))
    assert [len(page["MetricAlarms"]) for page in pages] == [0, 2, 1]


def test_alarms_are_replaced(serve: Serve, world: World, home: Region) -> None:
    """PutMetricAlarm overwrites all but the state; a new alarm has no data; topics must be of the region."""
    home.add_alarm("a", "Metric", enabled=False, StateValue="ALARM", AlarmDescription="old")
    cloudwatch = serve(world)("cloudwatch")
    given = {
        "MetricName": "Metric",
        "Namespace": "N",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    cloudwatch.put_metric_alarm(AlarmName="a", **given)
    cloudwatch.put_metric_alarm(AlarmName="b", **given)

    old, new = cloudwatch.describe_alarms()["MetricAlarms"]
    assert old["ActionsEnabled"] and old["StateValue"] == "ALARM" and "AlarmDescription" not in old
    assert (new["StateValue"], new["Namespace"]) == ("INSUFFICIENT_DATA", "N")
    there = f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"
    far = refused(cloudwatch.put_metric_alarm, AlarmName="c", AlarmActions=[there], **given)
    assert far[:2] == ("ValidationError", "Invalid region eu-west-1 specified. Only us-east-1 is supported.")
    assert refused(cloudwatch.put_metric_alarm, AlarmName="c")[0] == "ValidationError"
    rule = {"AlarmName": "x", "AlarmRule": "ALARM(a) OR ALARM(nobody)"}
    assert "[nobody]" in refused(cloudwatch.put_composite_alarm, **rule)[1]
    absent = refused(cloudwatch.delete_alarms, AlarmNames=["a", "gone"])
    assert absent[::2] == ("ResourceNotFound", 404)
    assert [item["AlarmName"] for item in cloudwatch.describe_alarms()["MetricAlarms"]] == ["b"]


def test_alarms_for_a_metric(serve: Serve, world: World, home: Region) -> None:
    """DescribeAlarmsForMetric wants the very dimensions; mute rules name the alarms they silence."""
    home.add_alarm("bare", "Metric", "N")
    home.add_alarm("sized", "Metric", "N", Dimensions=[{"Name": "d", "Value": "v"}])
    arn = home.add_mute_rule("night", ["bare"])
    cloudwatch = serve(world)("cloudwatch")

    [found] = cloudwatch.describe_alarms_for_metric(MetricName="Metric", Namespace="N")["MetricAlarms"]
    assert found["AlarmName"] == "bare"
    [muted] = cloudwatch.list_alarm_mute_rules(AlarmName="bare")["AlarmMuteRuleSummaries"]
    assert (muted["AlarmMuteRuleArn"], muted["Status"]) == (arn, "ACTIVE")
    assert cloudwatch.list_alarm_mute_rules(AlarmName="sized")["AlarmMuteRuleSummaries"] == []
    rule = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")
    assert rule["MuteTargets"]["AlarmNames"] == ["bare"]
    missing = refused(cloudwatch.get_alarm_mute_rule, AlarmMuteRuleName="no")
    assert missing[0] == "ResourceNotFoundException"


def test_metric_filters(serve: Serve, world: World, home: Region) -> None:
    """Filters go by group, prefix or metric; only STANDARD groups take them; a missing one is an error."""
    home.add_log_group("trail")
    home.add_log_group("cheap", logGroupClass="INFREQUENT_ACCESS")
    home.add_metric_filter("trail", "one", "{ $.a = 1 }", "m", "n")
    world.test_metric_filter = lambda pattern, message: "1" in message
    logs = serve(world)("logs")
    put = {"filterName": "f", "filterPattern": "", "metricTransformations": [
        {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    ]}  # fmt: skip

    assert len(logs.describe_metric_filters(metricName="m", metricNamespace="n")["metricFilters"]) == 1
    assert logs.describe_metric_filters(filterNamePrefix="x")["metricFilters"] == []
    assert refused(logs.describe_metric_filters, metricName="m")[0] == "InvalidParameterException"
    assert refused(logs.describe_metric_filters, logGroupName="no")[0] == "ResourceNotFoundException"
    assert refused(logs.put_metric_filter, logGroupName="cheap", **put)[0] == "InvalidOperationException"
    counts = [item["metricFilterCount"] for item in logs.describe_log_groups()["logGroups"]]
    assert counts == [0, 1]
    tried = logs.test_metric_filter(filterPattern="x", logEventMessages=["0", "1"])["matches"]
    assert [item["eventNumber"] for item in tried] == [2]
    gone = {"logGroupName": "trail", "filterName": "one"}
    logs.delete_metric_filter(**gone)
    assert refused(logs.delete_metric_filter, **gone)[0] == "ResourceNotFoundException"


def test_keys_by_alias(serve: Serve, world: World, home: Region) -> None:
    """DescribeKey takes an alias, GetKeyPolicy does not; nobody changes the policy of AWS's own keys."""
    key = home.add_key("1111")
    home.add_alias("alias/mine", key)
    kms = serve(world)("kms")

    assert kms.describe_key(KeyId="alias/mine")["KeyMetadata"]["Arn"] == key
    assert refused(kms.describe_key, KeyId="alias/no")[0] == "NotFoundException"
    assert refused(kms.get_key_policy, KeyId="alias/mine")[0] == "NotFoundException"
    owned = kms.describe_key(KeyId="alias/aws/sns")["KeyMetadata"]
    assert owned["KeyManager"] == "AWS"
    policies = kms.get_key_policy(KeyId=owned["KeyId"])["Policy"]
    assert "kms:ViaService" in policies and "events.amazonaws.com" not in policies
    change = {"Policy": policies, "PolicyName": "default"}
    assert refused(kms.put_key_policy, KeyId=owned["Arn"], **change)[0] == "AccessDeniedException"
    locked = refused(kms.put_key_policy, KeyId=key, Policy=policy())
    assert locked[0] == "MalformedPolicyDocumentException"
    assert [item["AliasName"] for item in kms.list_aliases(KeyId=key)["Aliases"]] == ["alias/mine"]


def test_other_ways_to_a_human(serve: Serve, world: World, home: Region) -> None:
    """User Notifications with their rules, channels and contacts; incident response memberships."""
    account = world.account()
    mail = account.add_contact("soc", "soc@example.com", status="inactive")
    arn = account.add_notification(
        "findings", source="aws.guardduty", event_type="GuardDuty Finding", channels=(mail,)
    )
    member = home.add_membership(status="Cancelled")
    client = serve(world)

    notes = client("notifications")
    assert notes.list_notification_configurations()["notificationConfigurations"][0]["arn"] == arn
    [rule] = notes.list_event_rules(notificationConfigurationArn=arn)["eventRules"]
    assert rule["statusSummaryByRegion"]["us-east-1"]["status"] == "ACTIVE"
    assert notes.get_event_rule(arn=rule["arn"])["source"] == "aws.guardduty"
    assert notes.list_channels(notificationConfigurationArn=arn)["channels"] == [mail]
    contacts = client("notificationscontacts")
    assert contacts.list_email_contacts()["emailContacts"][0]["status"] == "inactive"
    assert contacts.get_email_contact(arn=mail)["emailContact"]["address"] == "soc@example.com"
    response = client("security-ir")
    assert response.list_memberships()["items"][0]["membershipId"] == member
    assert response.get_membership(membershipId=member)["membershipStatus"] == "Cancelled"


def test_security_hub_rules_of_both_kinds(serve: Serve, world: World, home: Region) -> None:
    """Automation rules of V2 are listed where V2 is on; unknown rules are unprocessed, not errors."""
    home.add_hub()
    hub = serve(world)("securityhub")
    rule = {"RuleArn": home.arn("securityhub", "automation-rulev2/1"), "RuleId": "1", "RuleOrder": 1.0}
    action = {"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"StatusId": 3}}
    home.securityhub["automation_rules_v2"] = [{**rule, "RuleStatus": "ENABLED", "Actions": [action]}]

    assert refused(hub.list_automation_rules_v2)[0] == "AccessDeniedException"
    hub.enable_security_hub_v2()
    [listed] = hub.list_automation_rules_v2()["Rules"]
    assert hub.get_automation_rule_v2(Identifier=listed["RuleId"])["Actions"] == [action]
    wanted = [{"RuleArn": home.arn("securityhub", "automation-rule/9"), "RuleStatus": "DISABLED"}]
    answer = hub.batch_update_automation_rules(UpdateAutomationRulesRequestItems=wanted)
    assert len(answer["UnprocessedAutomationRules"]) == 1 and answer["ProcessedAutomationRules"] == []


def test_roles_of_targets(serve: Serve, world: World) -> None:
    """A role shows whom it trusts and, asked for, what it may do."""
    allow = {"Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]}
    world.account().add_role("forward", "events.amazonaws.com", {"put": allow})
    iam = serve(world)("iam")

    trust = iam.get_role(RoleName="forward")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    assert iam.list_role_policies(RoleName="forward")["PolicyNames"] == ["put"]
    assert iam.get_role_policy(RoleName="forward", PolicyName="put")["PolicyDocument"] == allow
    assert refused(iam.get_role, RoleName="no")[::2] == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sns", "list_topics", "AccessDenied"),
        ("sqs", "list_queues", "AccessDenied"),
        ("cloudwatch", "describe_alarms", "AccessDenied"),
        ("events", "list_event_buses", "AccessDeniedException"),
        ("lambda", "list_functions", "AccessDeniedException"),
    ],
)
def test_refusals_are_spelt_as_the_service_does(
    serve: Serve, world: World, service: str, operation: str, code: str
) -> None:
    """What once spoke the query protocol still says AccessDenied without Exception."""
    world.faults = [Fault(service=service)]

    assert refused(getattr(serve(world)(service), operation))[::2] == (code, 403)


def test_responding_reaches_people_from_every_region(serve: Serve) -> None:
    """The scenario forwards to one bus, whose rules aim at a topic that two confirmed subscribers read."""
    client = serve(SCENARIOS["responding"]())
    events, sns = client("events"), client("sns")

    for region in set(REGIONS) - {"us-east-1"}:
        there = client("events", region)
        [rule] = there.list_rules()["Rules"]
        [target] = there.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert rule["State"] == ENABLED_FOR_READS
        assert target["Arn"] == f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default" and target["RoleArn"]
    states = {item["Name"]: item["State"] for item in events.list_rules()["Rules"]}
    assert states.pop("api-calls") == ENABLED_FOR_READS and set(states.values()) == {"ENABLED"}
    [topic] = [item["TopicArn"] for item in sns.list_topics()["Topics"]]
    for name in states:
        assert events.list_targets_by_rule(Rule=name)["Targets"][0]["Arn"] == topic
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "2"
    filters = client("logs").describe_metric_filters(logGroupName="cloudtrail")["metricFilters"]
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(filters) == len(alarms) == len(CIS_FILTERS) == 15
    assert all(item["AlarmActions"] == [topic] for item in alarms)
