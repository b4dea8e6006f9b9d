"""What still decides Security Hub's checks when a call is refused."""

DECIDED: dict[tuple[str, str], str] = {}
