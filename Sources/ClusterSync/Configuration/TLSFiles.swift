import CQLClient
import FoundationEssentials

/// The files of one side of TLS.
struct TLSFiles: Sendable, Hashable {
    /// The own certificate with its chain.
    var certificate: String?
    /// Its key.
    var key: String?
    /// The authorities of the other side's certificates.
    var authorities: String?

    /// A file that cannot be used.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "\(self.path): \(self.reason)" }
    }

    /// Reads the files as they are now.
    func read() throws(Fault) -> TLSMaterial {
        TLSMaterial(
            certificateChain: try Self.bytes(self.certificate),
            privateKey: try Self.bytes(self.key),
            trustRoots: try Self.bytes(self.authorities)
        )
    }

    private static func bytes(_ path: String?) throws(Fault) -> [UInt8]? {
        guard let path else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Fault(path: path, reason: "the file cannot be read")
        }
        return Array(data)
    }

    /// Which file an error of the material is about.
    func fault(_ error: TLSMaterialError) -> Fault {
        let path =
            switch error.part {
            case .certificateChain: self.certificate
            case .privateKey: self.key
            case .trustRoots: self.authorities
            }
        return Fault(path: path ?? "TLS", reason: error.description)
    }
}
