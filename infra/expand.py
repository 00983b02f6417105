"""The plain CloudFormation that AWS makes of our SAM, without asking AWS.

Runs where aws-sam-translator is installed, which pins another pydantic than the one that ships:
`.venv-aws/bin/python infra/expand.py sam.json expanded.json`
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.translator.transform import transform


def expand(sam: Path, out: Path) -> None:
    """Write the expansion of `sam` to `out`. Raises InvalidDocumentException where AWS would."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = json.loads(sam.read_text("utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "artifacts", "Key": "deployment.zip"}
    out.write_text(json.dumps(transform(template, {}, _NoManagedPolicies()), indent=1), "utf-8")


class _NoManagedPolicies:
    """Our roles name no AWS-managed policy, so there is none to look up."""

    def load(self) -> dict[str, str]:
        return {}


if __name__ == "__main__":
    expand(*map(Path, sys.argv[1:]))
