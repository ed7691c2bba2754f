import ArgumentParser
import CQLClient
import FoundationEssentials
import NIOSSL

/// How a command trusts an admin port that speaks TLS, and what it shows it.
struct AdminTLSOptions: ParsableArguments {
    @Option(
        help: """
            The authorities that the admin port's certificate comes from, in PEM; else those of the system. \
            Environment: CLUSTER_SYNC_CA_FILE.
            """
    )
    var caFile: String?

    @Option(help: "The certificate to show to the admin port, in PEM. Environment: CLUSTER_SYNC_CERTIFICATE_FILE.")
    var certificateFile: String?

    @Option(help: "Its key. Environment: CLUSTER_SYNC_KEY_FILE.")
    var keyFile: String?

    /// The files of the options, else of the environment.
    var files: TLSFiles {
        let environment = ProcessInfo.processInfo.environment
        return TLSFiles(
            certificate: self.certificateFile ?? environment["CLUSTER_SYNC_CERTIFICATE_FILE"],
            key: self.keyFile ?? environment["CLUSTER_SYNC_KEY_FILE"],
            authorities: self.caFile ?? environment["CLUSTER_SYNC_CA_FILE"]
        )
    }
}

extension TLSFiles {
    /// What an HTTP client does with these files: it checks signature, validity and name of the server in any case.
    ///
    /// - Throws: ``FileFault`` that names the file.
    func clientConfiguration() throws(FileFault) -> TLSConfiguration {
        let material = try self.read()
        guard (material.certificateChain == nil) == (material.privateKey == nil) else {
            throw FileFault(
                path: self.certificate ?? self.key ?? "TLS",
                reason: "a certificate and its key belong together; the other file is missing"
            )
        }
        // What cannot be used is found, and told by its file, before anything is sent.
        do {
            _ = try TLSEndpoint.cluster(material)
        } catch {
            throw self.fault(error)
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            if let chain = material.certificateChain, let key = material.privateKey {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            }
            if let roots = material.trustRoots {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(roots))
            }
        } catch {
            throw FileFault(path: "TLS", reason: "\(error)")
        }
        return configuration
    }
}
