"""Who is asking: credentials, the account behind them, and clear words when there are none."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from postureaudit.aws import descriptors, guard, models, outcomes
from postureaudit.aws.clients import CONNECT_TIMEOUT, READ_TIMEOUT, Clients
from postureaudit.aws.hidden import hidden
from postureaudit.errors import CredentialsError, PostureAuditError
from postureaudit.evidence import Refusal, RefusalKind

if TYPE_CHECKING:
    from postureaudit.aws.ahead import Ahead

# The region that holds each partition's global services (IAM, Organizations, account settings).
LEADERS = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}

ASSUME = "sts:AssumeRole"
_ASSUMING = threading.BoundedSemaphore(10)  # STS is one for all accounts: its calls in flight are few
_ATTEMPTS = 5


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """The log archive account, and the credentials of its role or the refusal that stands for all it would say."""

    account: str
    credentials: Any = None
    refusal: Refusal | None = None


class Session:
    """A caller that STS has confirmed: account, partition, ARN, and the clients that act for it."""

    def __init__(
        self,
        core: Any,
        credentials: Any,
        identity: dict[str, Any],
        clients: Clients,
        *,
        source: Any = None,
    ) -> None:
        self.core = core
        self.caller: str = identity["Arn"]
        self.account: str = identity["Account"]
        self.partition: str = self.caller.split(":")[1]
        self.leader: str = LEADERS.get(self.partition, "us-east-1")
        self.clients = clients
        self.archive: Archive | None = None
        self._credentials = credentials
        self._source = credentials if source is None else source  # what roles are assumed with

    @property
    def credentials(self) -> Any:
        """botocore credentials, which refresh themselves when they are of a kind that can."""
        return self._credentials

    def offered(self, service: str, region: str) -> bool:
        """Whether botocore's data lists the service in this region; True when it does not know the region."""
        known = self.core.get_available_regions(service, self.partition)
        all_regions = self.core.get_available_regions("ec2", self.partition)
        return region in known or region not in all_regions or not known

    def enter(self, role_arn: str, external_id: str | None, session_name: str) -> Session | Refusal:
        """The session of a role in another account, or the refusal that stands for all that account would say.

        The clients are shared. Credentials renew themselves before they end; STS is asked at once, so that a role that
        cannot be assumed is known before anything else is tried.
        """
        import botocore.exceptions
        from botocore.credentials import RefreshableCredentials

        params: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": session_name}
        if external_id:
            params["ExternalId"] = external_id
        entered: dict[str, Any] = {}

        def assume() -> dict[str, str]:
            with _ASSUMING:
                found = self.clients.call(
                    "sts", "AssumeRole", params, region=self.leader, credentials=self._credentials
                )
            entered.update(found)
            given = found["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        for attempt in range(_ATTEMPTS):
            try:
                credentials = RefreshableCredentials.create_from_metadata(
                    metadata=assume(), refresh_using=assume, method="assume-role"
                )
                break
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ValueError) as error:
                refusal = _not_entered(error, role_arn, self.leader)
                again = refusal.kind in (RefusalKind.THROTTLED, RefusalKind.NETWORK, RefusalKind.TIMEOUT)
                if not again or attempt == _ATTEMPTS - 1:
                    return refusal
                time.sleep(random.uniform(0.1, 2.0**attempt))
        arn = str(entered["AssumedRoleUser"]["Arn"])
        identity = {"Arn": arn, "Account": arn.split(":")[4]}
        if identity["Account"] != role_arn.split(":")[4]:
            text = f"STS answered with a role of account {identity['Account']}"
            return Refusal(RefusalKind.ERROR, "WrongAccount", text, call=ASSUME, region=self.leader)
        return Session(self.core, credentials, identity, self.clients)

    def open_archive(
        self, role_arn: str, external_id: str | None, session_name: str = "postureaudit"
    ) -> None:
        """Have the log archive asked with its own role: assumed from what the session started with, else by its role.

        A role that cannot be assumed leaves what it would read unknown; the audit goes on. Raises CredentialsError
        where STS says that the role is another account's than its ARN.
        """
        import botocore.exceptions

        account = role_arn.split(":")[4]
        sources = [self._source, *([self._credentials] if self._credentials is not self._source else [])]
        for source in sources:
            credentials = _assumed(self.core, source, role_arn, external_id, session_name, self.leader)
            try:
                identity = self.clients.call(
                    "sts", "GetCallerIdentity", {}, region=self.leader, credentials=credentials
                )
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ValueError) as error:
                self.archive = Archive(account=account, refusal=_not_assumed(error, role_arn, self.leader))
                continue
            if identity["Account"] != account:
                self.archive = None
                raise CredentialsError(
                    f"the role {role_arn} is in account {identity['Account']}",
                    hint="correct --log-archive-role",
                )
            self.archive = Archive(account=account, credentials=credentials)
            return


def _not_entered(error: Exception, role_arn: str, region: str) -> Refusal:
    """Why an account cannot be entered, in AWS's words."""
    detail = (getattr(error, "response", None) or {}).get("Error", {})
    code = str(detail.get("Code") or type(error).__name__)
    status = int(
        (getattr(error, "response", None) or {}).get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    )
    text = hidden(" ".join(str(detail.get("Message") or error).split()))
    found = outcomes.classify("sts", "AssumeRole", code, text, status=status)
    kind = found.kind if isinstance(found, Refusal) else RefusalKind.ERROR
    if "Timeout" in type(error).__name__:
        kind = RefusalKind.TIMEOUT
    elif not detail and "Connection" in type(error).__name__:
        kind = RefusalKind.NETWORK
    return Refusal(
        kind, code, f"{role_arn} cannot be assumed: {found.message}"[:500], call=ASSUME, region=region
    )


def _not_assumed(error: Exception, role_arn: str, region: str) -> Refusal:
    """The refusal that stands for every answer of the log archive: AssumeRole's own."""
    detail = (getattr(error, "response", None) or {}).get("Error", {})
    code = str(detail.get("Code") or type(error).__name__)
    text = f"the log archive's role {role_arn} cannot be assumed: {' '.join(hidden(str(error)).split())}"
    kind = RefusalKind.DENIED if "AccessDenied" in code else RefusalKind.ERROR
    return Refusal(kind, code, text[:500], call="sts:AssumeRole", region=region)


def open_session(
    *,
    profile: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    session_name: str = "postureaudit",
    expect_account: str | None = None,
    region: str | None = None,
    max_workers: int = 64,
    connect_timeout: float = CONNECT_TIMEOUT,
    read_timeout: float = READ_TIMEOUT,
    ahead: Ahead | None = None,
) -> Session:
    """Find credentials, assume the role if one is named, and ask STS who this is. Nothing else is called.

    `ahead` opens connections for the walk meanwhile.

    Raises CredentialsError with the next step when there are no usable credentials, or when the account is
    not `expect_account`.
    """
    import botocore.exceptions
    import botocore.session

    descriptors.allow_many()
    try:
        core = botocore.session.Session(profile=profile)
        guard.install(core.get_component("event_emitter"))
        models.slim(core)
        leader = _leader_of(region or core.get_config_variable("region"))
        source = credentials = core.get_credentials()
        if credentials is None:
            raise botocore.exceptions.NoCredentialsError()
        clients = Clients(
            core, leader=leader, pool=max_workers, connect_timeout=connect_timeout, read_timeout=read_timeout
        )
        if ahead is not None:
            ahead.begin(clients, _partition_of(leader), leader)
        if role_arn:
            credentials = _assumed(core, credentials, role_arn, external_id, session_name, leader)
        identity = clients.call("sts", "GetCallerIdentity", {}, region=leader, credentials=credentials)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ValueError) as error:
        # Not from the error: what made it may quote the credentials, and --debug shows what it is made from.
        explained = _explained(error, profile, role_arn)
        headers = (getattr(error, "response", None) or {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
        explained.answered = str(headers.get("date") or "")
        raise explained from None  # what caused it quotes credentials
    session = Session(core, credentials, identity, clients, source=source)
    if expect_account and session.account != expect_account:
        raise CredentialsError(
            f"these credentials belong to account {session.account}, not {expect_account}",
            hint="choose another --profile or --role-arn, or correct --expect-account",
        )
    return session


def _leader_of(region: str | None) -> str:
    """The leader region of the partition that the configured region belongs to."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc", "us-iso-": "aws-iso"}
    prefixes |= {"us-isob-": "aws-iso-b", "eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f"}
    for prefix, partition in prefixes.items():
        if region and region.startswith(prefix):
            return LEADERS[partition]
    return LEADERS["aws"]


def _partition_of(leader: str) -> str:
    return next((partition for partition, region in LEADERS.items() if region == leader), "aws")


def _assumed(
    core: Any, source: Any, role_arn: str, external_id: str | None, session_name: str, leader: str
) -> Any:
    """Credentials of the role, which renew themselves before they expire."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra = {"RoleSessionName": session_name, **({"ExternalId": external_id} if external_id else {})}

    def create_client(service: str, **settings: Any) -> Any:
        return core.create_client(service, region_name=leader, **settings)

    fetcher = AssumeRoleCredentialFetcher(create_client, source, role_arn, extra_args=extra)
    return DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")


def _explained(error: Exception, profile: str | None, role_arn: str | None) -> PostureAuditError:
    """One sentence and one command for each way in which credentials fail."""
    login = "aws sso login" + (f" --profile {profile}" if profile else "")
    name = type(error).__name__
    text = " ".join(hidden(str(error)).split())
    response = getattr(error, "response", None) or {}
    code = response.get("Error", {}).get("Code", "")
    match name:
        case "NoCredentialsError":
            return CredentialsError(
                "no AWS credentials found", hint="name a --profile, or run: aws configure sso"
            )
        case "ProfileNotFound":
            return CredentialsError(
                f"there is no profile {profile or 'of that name'!r} in your AWS configuration",
                hint="see the names with: aws configure list-profiles",
            )
        case "SSOTokenLoadError" | "UnauthorizedSSOTokenError" | "SSOError" | "TokenRetrievalError":
            return CredentialsError("the SSO session is missing or has expired", hint=f"run: {login}")
        case "LoginRefreshRequired" | "LoginTokenLoadError" | "LoginAuthorizationCodeError":
            again = login.replace("sso login", "login")
            return CredentialsError("the AWS login is missing or has expired", hint=f"run: {again}")
        case "RefreshWithMFAUnsupportedError":
            return CredentialsError("the session needs a new MFA code", hint="sign in again")
        case "MissingDependencyException":
            return CredentialsError(
                "this kind of login needs a library that is not installed",
                hint="run: pip install 'postureaudit[crt]'",
            )
        case "PartialCredentialsError":
            return CredentialsError(f"half of the credentials is missing: {text}", hint="set key and secret")
        case "ConfigParseError" | "InvalidConfigError" | "ConfigNotFound":
            return CredentialsError(
                f"your AWS configuration cannot be read: {text}", hint="see ~/.aws/config"
            )
        case "CredentialRetrievalError":
            # What it wrote may be what it keeps.
            return CredentialsError("the credential process failed", hint="run it by hand to see why")
        case "EndpointConnectionError" | "ConnectTimeoutError" | "ReadTimeoutError" | "ConnectionClosedError":
            return PostureAuditError(f"AWS STS does not answer: {text}", hint="check the network and proxies")
        case "SSLError" | "ProxyConnectionError":
            return PostureAuditError(
                f"no safe connection to AWS: {text}", hint="check AWS_CA_BUNDLE and proxies"
            )
    if outcomes.is_skewed(code, text):
        return CredentialsError(
            f"this machine's clock is off, so that AWS refuses what it signs ({code})",
            hint="set the clock, then run it again",
        )
    if code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return CredentialsError("the AWS session has expired", hint=f"sign in again, for example: {login}")
    if code in ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"):
        return CredentialsError(
            f"AWS does not accept these credentials ({code})", hint="check keys and clock"
        )
    if role_arn and code in ("AccessDenied", "AccessDeniedException"):
        return CredentialsError(
            f"these credentials may not assume {role_arn}",
            hint="check the role's trust policy and --external-id",
        )
    return CredentialsError(f"AWS refused these credentials: {text}", hint="try: aws sts get-caller-identity")
