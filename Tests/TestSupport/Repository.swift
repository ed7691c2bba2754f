package import FoundationEssentials

/// What lies beside the sources.
package enum Repository {
    package struct Missing: Error { let path: String }

    package static let root = String(#filePath.dropLast("/Tests/TestSupport/Repository.swift".count))

    /// The content of a file of `Fixtures`.
    package static func fixture(_ path: String) throws -> Data {
        let path = "\(Self.root)/Fixtures/\(path)"
        guard let data = FileManager.default.contents(atPath: path) else { throw Missing(path: path) }
        return data
    }
}
