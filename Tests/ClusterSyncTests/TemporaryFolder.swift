import FoundationEssentials

/// Runs `body` with the path of a folder that does not exist yet, and removes what it has made there.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
