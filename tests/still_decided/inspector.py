"""What still decides Inspector's checks when a call is refused."""

_ON = "BatchGetAccountStatus says that the scan is on, whatever runs there"

DECIDED = {
    ("ec2:DescribeInstances", "inspector.ec2-scanning"): _ON,
    ("ecr:DescribeRepositories", "inspector.ecr-scanning"): _ON,
    ("lambda:ListFunctions", "inspector.lambda-scanning"): _ON,
    ("lambda:ListFunctions", "inspector.lambda-code-scanning"): _ON,
}
