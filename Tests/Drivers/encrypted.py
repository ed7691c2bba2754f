"""The driver over TLS: the sidecar's certificate is checked, and so is the driver's; certificates change while it runs."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from pathlib import Path

from cassandra.cluster import NoHostAvailable

from checks import Report, equal, eventually
from process import Sidecar

CERTIFICATES = Path(__file__).parents[2] / "Fixtures" / "tls"


def context(own: str | None, trusts: str) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(CERTIFICATES / f"{trusts}.pem"))
    if own is not None:
        made.load_cert_chain(str(CERTIFICATES / f"{own}.pem"), str(CERTIFICATES / f"{own}.key"))
    return made


def refused(sidecar: Sidecar, own: str | None, trusts: str) -> bool:
    try:
        cluster, _ = sidecar.connect(ssl_context=context(own, trusts), connect_timeout=5)
    except NoHostAvailable:
        return True
    cluster.shutdown()
    return False


def run(binary: str, source: str, target: str, report: Report) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def use(own: str) -> None:
            for ending, place in (("pem", "tls.crt"), ("key", "tls.key")):
                shutil.copy(CERTIFICATES / f"{own}.{ending}", folder / place)

        use("node")
        settings = (
            f"tls.certificate={folder / 'tls.crt'}",
            f"tls.key={folder / 'tls.key'}",
            f"tls.client_ca={CERTIFICATES / 'authority.pem'}",
        )
        sidecar = Sidecar(binary, folder, source, target, "PrimaryOnly", settings)
        try:
            # The name in the certificate is checked by the driver: it connects to 127.0.0.1, which is in it.
            cluster, session = sidecar.connect(ssl_context=context("client", "authority"))
            one = lambda: equal(session.execute("SELECT key FROM system.local").one().key, "local")
            report.check("TLS: the driver connects with its certificate", one)
            report.check("TLS: a driver without a certificate is refused", lambda: refused(sidecar, None, "authority"))
            report.check("TLS: a stranger's certificate is refused", lambda: refused(sidecar, "unknown-client", "authority"))
            report.check("TLS: the driver refuses an unknown authority", lambda: refused(sidecar, "client", "stranger"))
            use("elsewhere")
            changed = lambda: eventually(lambda: "new certificates in use" in sidecar.text(), "the new certificate")
            report.check("TLS: a new certificate is taken up", changed)
            report.check("TLS: and shown to new connections", lambda: refused(sidecar, "client", "authority"))
            report.check("TLS: connections that stand go on", one)
            cluster.shutdown()
        finally:
            sidecar.kill()
