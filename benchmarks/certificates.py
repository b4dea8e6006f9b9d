"""Certificates of the endpoint: one for every region's names, and the CA bundle that trusts them."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_NOW = datetime.datetime.now(datetime.UTC)


def make(folder: Path, regions: Iterable[str]) -> Path:
    """Write `<region>.pem` and `local.pem`, key and chain, for the server; the path of the CA bundle.

    The bundle is botocore's own with our authority after it, so that loading it costs what it does.
    """
    import botocore

    key = ec.generate_private_key(ec.SECP256R1())
    authority = _signed("postureaudit benchmark", key, "postureaudit benchmark", key, None)
    own = ec.generate_private_key(ec.SECP256R1())
    for region in regions:
        names = [
            *(f"*.{region}.amazonaws.com", f"*.{region}.api.aws", "*.amazonaws.com", "*.api.aws"),
            *(f"*.{name}.{region}.amazonaws.com" for name in ("s3", "s3-control", "detective", "ecr", "ecs")),
            "*.s3.amazonaws.com",
        ]
        _write(folder / f"{region}.pem", own, [_signed(region, own, "postureaudit benchmark", key, names)])
    local = _signed("local", own, "postureaudit benchmark", key, ["localhost", "*.127.0.0.1"])
    _write(folder / "local.pem", own, [local])
    bundle = folder / "bundle.pem"
    padding = (Path(botocore.__file__).parent / "cacert.pem").read_bytes()
    bundle.write_bytes(padding + b"\n" + authority.public_bytes(serialization.Encoding.PEM))
    return bundle


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    names: list[str] | None,
) -> x509.Certificate:
    def called(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(called(subject))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW - datetime.timedelta(days=1))
        .not_valid_after(_NOW + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        # Without these two, Python 3.13's stricter checks refuse the chain.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if names is None:
        builder = builder.add_extension(_usage(certificates=True), critical=True)
    else:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        alternatives = [address, *(x509.DNSName(name) for name in names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, key: ec.EllipticCurvePrivateKey, chain: list[x509.Certificate]) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + b"".join(item.public_bytes(serialization.Encoding.PEM) for item in chain))
