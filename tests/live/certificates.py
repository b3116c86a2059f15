# SPDX-License-Identifier: MIT
"""Throwaway certificate authorities, and server and client certificates signed by them."""

import dataclasses
import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclasses.dataclass
class Certificate:
    """The files of one certificate; `ca` is the certificate of the authority that signed it."""
    ca: Path
    cert: Path
    key: Path


class Authority:
    """A certificate authority whose files are in `directory`."""

    def __init__(self, directory, name="authority"):
        self.name = name
        self.directory = Path(directory) / name
        self.directory.mkdir(parents=True)
        self.cert = self.directory / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(f"Throwaway {name}")
        certificate = self._builder(self._subject, self._key, 1).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256())
        _write_certificate(self.cert, certificate)

    def issue(self, name, hosts=("127.0.0.1", "localhost"), days=1):
        """Issue a certificate for host names and addresses; negative days: expired so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(name), key, days).add_extension(
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        files = Certificate(self.cert, self.directory / f"{name}.pem", self.directory / f"{name}.key")
        _write_certificate(files.cert, builder.sign(self._key, hashes.SHA256()))
        files.key.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        files.key.chmod(0o600)
        return files

    def _builder(self, subject, key, days):
        now = datetime.datetime.utcnow()
        end = now + datetime.timedelta(days=days)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(min(now, end) - datetime.timedelta(days=1)).not_valid_after(end))


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_certificate(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
