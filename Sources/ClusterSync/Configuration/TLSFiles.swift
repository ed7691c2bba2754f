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

    /// Reads the files as they are now.
    func read() throws(FileFault) -> TLSMaterial {
        TLSMaterial(
            certificateChain: try Self.bytes(self.certificate),
            privateKey: try Self.bytes(self.key),
            trustRoots: try Self.bytes(self.authorities)
        )
    }

    private static func bytes(_ path: String?) throws(FileFault) -> [UInt8]? {
        guard let path else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FileFault(path: path, reason: "the file cannot be read")
        }
        return Array(data)
    }

    /// Which file an error of the material is about.
    func fault(_ error: TLSMaterialError) -> FileFault {
        let path =
            switch error.part {
            case .certificateChain: self.certificate
            case .privateKey: self.key
            case .trustRoots: self.authorities
            }
        return FileFault(path: path ?? "TLS", reason: error.description)
    }
}
