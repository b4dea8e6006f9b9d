"""What still decides Firewall Manager's checks when a call is refused."""

DECIDED = {
    ("fms:GetAdminAccount", f"firewallmanager.{name}"): "ListPolicies answers administrators only"
    for name in ("policies-active", "policies-remediate")
}
