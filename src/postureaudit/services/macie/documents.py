"""Documents that Macie's fixes carry: where results are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal
from postureaudit.services.base import Need


def export(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket and the key that the user names, with the present prefix."""
    found = env.get("Export")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    destination: dict[str, Any] = {"bucketName": Need("FINDINGS_BUCKET"), "kmsKeyArn": Need("KMS_KEY_ARN")}
    return {"s3Destination": destination | _prefix(found)}


def export_before(env: Mapping[str, Json]) -> Json | Refusal:
    """Where results are kept now."""
    found = env.get("Export")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return {
        "s3Destination": {"bucketName": found["Bucket"], "kmsKeyArn": found["KmsKeyArn"], **_prefix(found)}
    }


def _prefix(found: Mapping[str, Json]) -> dict[str, Json]:
    return {"keyPrefix": found["KeyPrefix"]} if found["KeyPrefix"] else {}


DOCUMENTS = {"macie_export": export, "macie_export.before": export_before}
