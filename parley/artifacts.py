"""The bucket that CloudFormation reads bundles and templates from; one per account and region."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True)
class Artifacts:
    """`s3` is a boto3 client; `account` guards against a bucket that somebody else owns."""

    s3: Any
    account: str
    region: str

    @property
    def bucket(self) -> str:
        return f"parley-artifacts-{self.account}-{self.region}"

    def put(self, template: dict[str, Any], bundle: Path, folder: str) -> str:
        """Upload both, point the template's functions at the bundle; the URL of the template."""
        self._ensure_bucket()
        code = self._upload(bundle.read_bytes(), folder, "zip")
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": self.bucket, "Key": code}
        compact = json.dumps(template, separators=(",", ":"), sort_keys=True).encode()
        key = self._upload(compact, folder, "json")
        return f"{self.s3.meta.endpoint_url}/{self.bucket}/{key}"

    def _upload(self, content: bytes, folder: str, suffix: str) -> str:
        key = f"{folder}/{hashlib.sha256(content).hexdigest()[:32]}.{suffix}"
        mine = {"Bucket": self.bucket, "Key": key, "ExpectedBucketOwner": self.account}
        try:
            self.s3.head_object(**mine)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            self.s3.put_object(**mine, Body=content)
        return key

    def _ensure_bucket(self) -> None:
        try:
            self.s3.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=self.account)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            self._create_bucket()

    def _create_bucket(self) -> None:
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.s3.create_bucket(
            Bucket=self.bucket, **({} if self.region == "us-east-1" else elsewhere)
        )
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=PRIVATE)
