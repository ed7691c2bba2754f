package import FoundationEssentials

/// A folder that goes when nobody holds it any more.
package final class TemporaryFolder: Sendable {
    package let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"

    package init() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// Puts a file in the place of another one at once, as `mv` does.
    package func put(_ name: String, _ content: Data) throws {
        try content.write(to: URL(filePath: "\(self.path)/\(name)"), options: .atomic)
    }
}
