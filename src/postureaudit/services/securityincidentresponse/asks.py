"""What to ask Security Incident Response: a membership lives in one region, and only there it is listed."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Scope

LIST = "security-ir:ListMemberships"
GET = "security-ir:GetMembership"
MEMBERS = "security-ir:BatchGetMemberAccountDetails"
ROLE = "iam:GetRole"
# The role with which findings are triaged (user guide, "Using service-linked roles").
TRIAGE_ROLE = "AWSServiceRoleForSecurityIncidentResponse_Triage"
_ACCOUNTS_A_CALL = 100  # BatchGetMemberAccountDetails


def collect(scope: Scope) -> Collection:
    """Ask for memberships here, and how an active one is set up."""
    (listed,) = yield [Ask(LIST)]
    for name in listed.pick("items[?membershipStatus=='Active'].membershipId"):
        (found, accounts, _) = yield [
            Ask(GET, membershipId=name),
            Ask("organizations:ListAccounts", region=scope.leader),
            Ask(ROLE, region=scope.leader, RoleName=TRIAGE_ROLE),
        ]
        if found.pick("membershipAccountsConfigurations.coverEntireOrganization") != [True]:
            ids = [str(item) for item in accounts.pick("Accounts[].Id")]
            yield [Ask(MEMBERS, membershipId=name, accountIds=part) for part in parts(ids)]


def parts(ids: list[str]) -> list[list[str]]:
    """The account ids, in as many lists as calls are needed."""
    ordered = sorted(ids)
    return [ordered[at : at + _ACCOUNTS_A_CALL] for at in range(0, len(ordered), _ACCOUNTS_A_CALL)]
