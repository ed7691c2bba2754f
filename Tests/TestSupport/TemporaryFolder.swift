package import FoundationEssentials

/// A folder that goes when nobody holds it any more.
package final class TemporaryFolder: Sendable {
    package let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"

    package init() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    private init(copyOf folder: TemporaryFolder) throws {
        try FileManager.default.copyItem(atPath: folder.path, toPath: self.path)
    }

    /// A copy of it as it is at this moment: what a process leaves behind that is killed now, memory-mapped files included.
    package func copy() throws -> TemporaryFolder { try TemporaryFolder(copyOf: self) }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// Puts a file in the place of another one at once, as `mv` does.
    package func put(_ name: String, _ content: Data) throws {
        try content.write(to: URL(filePath: "\(self.path)/\(name)"), options: .atomic)
    }

    /// What is in a folder of it; nothing where there is none.
    package func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(self.path)/\(folder)")) ?? []
    }

    /// Replaces the first bytes of a file that nobody has open.
    package func overwrite(_ name: String, with bytes: [UInt8]) throws {
        let url = URL(filePath: "\(self.path)/\(name)")
        var content = try Data(contentsOf: url)
        content.replaceSubrange(0..<bytes.count, with: bytes)
        try content.write(to: url)
    }
}
