import CQLClient
import Logging
import NIOCore
import Operations

/// The admin port of a service, as it is configured: the same keys and the same care for all services.
extension AdminServer.Configuration {
    /// Follows the files of the token and of the certificates from now on.
    ///
    /// - Throws: ``FileFault`` that names the file.
    init(
        _ address: ListenAddress,
        token: Secret?,
        tls: TLSFiles?,
        following secrets: SecretReloader,
        logger: Logger
    ) async throws(FileFault) {
        self.init(host: address.host, port: address.port)
        if let token {
            let current = CurrentSecret(token)
            await secrets.follow("admin port", "token", token) { current.replace($0) }
            self.token = { current.text }
        }
        if let tls {
            let endpoint = try await secrets.endpoint("admin port", tls, TLSEndpoint.clients)
            self.secure = { try endpoint.secure($0, host: nil) }
        } else if token != nil, !address.isLoopback {
            logger.notice(
                "the admin port is not encrypted: who is in between can read its token; admin.tls encrypts it",
                metadata: ["address": "\(address)"]
            )
        }
    }
}

extension ListenAddress {
    /// Why a service that listens here has ended: what the system says, with the address that it is about.
    func words(_ error: any Error) -> String {
        error is IOError ? "\(self) cannot be listened on: \(AdminClient.words(error))" : "\(error)"
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.") }
}

extension TLSFiles {
    /// The files of a side that others connect to; nil where there is no certificate. A key or an authority without one is a
    /// fault.
    static func server(
        _ values: inout ConfigurationValues,
        certificate: String,
        key: String,
        authorities: String
    ) -> TLSFiles? {
        let files = TLSFiles(
            certificate: values.text(certificate),
            key: values.text(key),
            authorities: values.text(authorities)
        )
        if files.certificate == nil {
            for (path, file) in [(key, files.key), (authorities, files.authorities)] where file != nil {
                values.fault(path, "needs \(certificate) beside it")
            }
            return nil
        }
        if files.key == nil { values.fault(certificate, "needs \(key) beside it") }
        return files
    }

    /// The files of the admin port.
    static func admin(_ values: inout ConfigurationValues) -> TLSFiles? {
        self.server(
            &values,
            certificate: "admin.tls.certificate_file",
            key: "admin.tls.key_file",
            authorities: "admin.tls.client_ca_file"
        )
    }

    /// The files of a side that connects to others; a certificate without its key, or the other way round, is a fault.
    static func client(_ values: inout ConfigurationValues, below section: String) -> TLSFiles {
        let files = TLSFiles(
            certificate: values.text("\(section).certificate_file"),
            key: values.text("\(section).key_file"),
            authorities: values.text("\(section).ca_file")
        )
        if (files.certificate == nil) != (files.key == nil) {
            let (there, missing) =
                files.key == nil ? ("certificate_file", "key_file") : ("key_file", "certificate_file")
            values.fault("\(section).\(there)", "needs \(section).\(missing) beside it")
        }
        return files
    }
}
