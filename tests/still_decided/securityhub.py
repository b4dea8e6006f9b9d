"""What still decides Security Hub's checks when a call is refused."""

DECIDED: dict[tuple[str, str], str] = {
    ("config:ListConfigurationRecorders", "securityhub.needs-config"): "the account's own recorder records",
    ("securityhub:BatchGetAutomationRules", "securityhub.automation-rules-safe"): "no rule is on",
}
