public import NIOCore
import NIOSSL
import Synchronization

/// TLS of one leg: toward the nodes of a cluster, or toward clients.
///
/// Thread-safe. Its certificates can be replaced at any time; connections that stand go on with the old ones. The least
/// version is TLS 1.2.
public final class TLSEndpoint: Sendable, Hashable {
    /// How much of a node's certificate is checked.
    public enum Verification: String, Sendable, Hashable {
        /// Its signature, its validity and its host name or address.
        case full
        /// Its signature and its validity.
        case certificate
        /// Nothing: whoever is in between can read and change everything.
        case none
    }

    private enum Side: Sendable {
        case cluster(Verification, serverName: String?)
        case clients
    }

    private let side: Side
    private let current: Mutex<NIOSSLContext>

    private init(_ side: Side, _ material: TLSMaterial) throws(TLSMaterialError) {
        self.side = side
        self.current = Mutex(try Self.context(side, material))
    }

    /// TLS toward the nodes of a cluster.
    ///
    /// - Parameter serverName: the name that the nodes' certificates are made for; nil: the name or address by which a node
    ///   is connected to.
    /// - Throws: ``TLSMaterialError`` that says which part cannot be used.
    public static func cluster(
        _ material: TLSMaterial,
        verification: Verification = .full,
        serverName: String? = nil
    ) throws(TLSMaterialError) -> TLSEndpoint {
        try TLSEndpoint(.cluster(verification, serverName: serverName), material)
    }

    /// TLS toward clients. With trust roots each client needs a certificate that comes from them.
    ///
    /// - Throws: ``TLSMaterialError`` that says which part cannot be used.
    public static func clients(_ material: TLSMaterial) throws(TLSMaterialError) -> TLSEndpoint {
        try TLSEndpoint(.clients, material)
    }

    /// Replaces the certificates for connections to come.
    ///
    /// - Throws: ``TLSMaterialError``; nothing is changed then.
    public func replace(_ material: TLSMaterial) throws(TLSMaterialError) {
        let context = try Self.context(self.side, material)
        self.current.withLock { $0 = context }
    }

    /// Puts TLS in front of everything that is added to the pipeline later. Called on the channel's loop.
    ///
    /// - Parameter host: the node that is connected to; nil toward clients.
    public func secure(_ channel: any Channel, host: String?) throws {
        let context = self.current.withLock { $0 }
        switch self.side {
        case .clients:
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        case .cluster(_, let serverName):
            // An address is no server name (RFC 6066 §3); it is checked against the certificate all the same.
            let name = serverName ?? host.flatMap { Self.isAddress($0) ? nil : $0 }
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
        }
    }

    private static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }

    /// The same object.
    public static func == (left: TLSEndpoint, right: TLSEndpoint) -> Bool { left === right }
    /// The object's identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    // MARK: Contexts

    private static func context(_ side: Side, _ material: TLSMaterial) throws(TLSMaterialError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let chain = material.certificateChain {
            configuration.certificateChain = try self.certificates(chain, .certificateChain).map { .certificate($0) }
        }
        if let key = material.privateKey { configuration.privateKey = .privateKey(try self.privateKey(key)) }
        if let roots = material.trustRoots {
            configuration.trustRoots = .certificates(try self.certificates(roots, .trustRoots))
        }
        switch side {
        case .cluster(.full, _): configuration.certificateVerification = .fullVerification
        case .cluster(.certificate, _): configuration.certificateVerification = .noHostnameVerification
        case .cluster(.none, _): configuration.certificateVerification = .none
        case .clients:
            configuration.certificateVerification = material.trustRoots == nil ? .none : .noHostnameVerification
            guard material.certificateChain != nil else {
                throw TLSMaterialError(part: .certificateChain, description: "a server needs a certificate")
            }
        }
        guard (material.certificateChain == nil) == (material.privateKey == nil) else {
            throw TLSMaterialError(
                part: material.privateKey == nil ? .privateKey : .certificateChain,
                description: "a certificate and its key belong together; one of them is missing"
            )
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // Every part by itself is good, so that what is left is their not belonging together.
            throw TLSMaterialError(part: .privateKey, description: "the key does not belong to the certificate")
        }
    }

    private static func certificates(
        _ bytes: [UInt8],
        _ part: TLSMaterialError.Part
    ) throws(TLSMaterialError) -> [NIOSSLCertificate] {
        let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes)
        guard let certificates, !certificates.isEmpty else {
            throw TLSMaterialError(part: part, description: "there is no PEM certificate in it")
        }
        return certificates
    }

    private static func privateKey(_ bytes: [UInt8]) throws(TLSMaterialError) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSMaterialError(
                part: .privateKey,
                description: "there is no PEM private key in it, or it has a passphrase"
            )
        }
    }
}
