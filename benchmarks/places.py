"""Regions, and how far away they are from somewhere in Europe."""

from __future__ import annotations

ENABLED_BY_DEFAULT = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
)
REGIONS = (
    *ENABLED_BY_DEFAULT,
    *("ca-west-1", "mx-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1"),
    *("me-south-1", "me-central-1", "af-south-1", "ap-south-2", "ap-east-1", "ap-east-2"),
    *("ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
)
# Round trips in milliseconds, rounded from what such tables as cloudping.co show for eu-central-1.
_FROM_EUROPE = {
    "eu": 30,
    "il": 70,
    "us-east": 100,
    "ca": 110,
    "me": 130,
    "mx": 150,
    "us-west": 160,
    "af": 180,
    "ap-south": 200,
    "sa": 220,
    "ap-east": 230,
    "ap-northeast": 250,
    "ap-southeast": 290,
}


def regions(count: int) -> tuple[str, ...]:
    """The first so many regions: up to 17, those that every account has."""
    if not 1 <= count <= len(REGIONS):
        raise SystemExit(f"--regions is 1 to {len(REGIONS)}, not {count}")
    return REGIONS[:count]


def from_europe(region: str) -> int:
    """Milliseconds of a round trip to a region."""
    return _FROM_EUROPE.get(region.rsplit("-", 1)[0]) or _FROM_EUROPE[region.split("-")[0]]


def latencies(names: tuple[str, ...], *, profile: str, latency: float) -> dict[str, float]:
    """Seconds of a round trip to each region: the same to all, or as seen from Europe."""
    return {name: (from_europe(name) if profile == "europe" else latency) / 1000 for name in names}
