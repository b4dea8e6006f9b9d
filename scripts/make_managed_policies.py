"""Write data/managed_policies.json: which of this program's actions SecurityAudit allows, from moto's copy of it."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

from moto.iam.aws_managed_policies import aws_managed_policies_data

from postureaudit.aws.allowed import IAM_ACTIONS

PLACE = Path(__file__).parent.parent / "src" / "postureaudit" / "data" / "managed_policies.json"


def made() -> str:
    """The file's text."""
    policy = json.loads(aws_managed_policies_data)["SecurityAudit"]
    globs = [
        glob.lower()
        for statement in policy["Document"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Resource"] == "*"
        for glob in statement["Action"]
    ]
    found = {
        "SecurityAudit": {
            "name": "SecurityAudit",
            "version": policy["DefaultVersionId"],
            "updated": policy["UpdateDate"][:10],
            "source": "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecurityAudit.html",
            "allows": sorted(
                {
                    action
                    for action in IAM_ACTIONS.values()
                    if any(fnmatchcase(action.lower(), glob) for glob in globs)
                }
            ),
        }
    }
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    PLACE.write_text(made(), "utf-8")
