"""What still decides Detective's checks when a call is refused."""

DECIDED = {("detective:ListInvitations", "detective.enabled"): "ListGraphs lists a graph of its own"}
