/// What one side of TLS connections shows and trusts: the bytes of PEM files. Never printed.
public struct TLSMaterial: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The own certificate, and those between it and its root.
    public var certificateChain: [UInt8]?
    /// The key of the own certificate, without a passphrase.
    public var privateKey: [UInt8]?
    /// The authorities that a peer's certificate must come from. Toward a cluster nil means those of the system; toward
    /// clients it means that they need no certificate.
    public var trustRoots: [UInt8]?

    /// Material of known parts.
    public init(certificateChain: [UInt8]? = nil, privateKey: [UInt8]? = nil, trustRoots: [UInt8]? = nil) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.trustRoots = trustRoots
    }

    /// Hides everything.
    public var description: String { "TLSMaterial(hidden)" }
    /// Hides everything.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is wrong with TLS material.
public struct TLSMaterialError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The part of the material that cannot be used.
    public enum Part: Sendable, Hashable {
        case certificateChain
        case privateKey
        case trustRoots
    }

    /// Where it is wrong.
    public let part: Part
    /// What is wrong there.
    public let description: String
}
