import DualWriter
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder of a test's own, which goes with it.
struct TemporaryFolder: Sendable {
    struct CannotBeMade: Error {}

    let path: FilePath

    init() throws {
        var template = Array("/tmp/cluster-sync-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CannotBeMade() }
        self.path = FilePath(String(cString: made))
    }

    func remove() { Self.remove(self.path.string) }

    /// Replaces the first bytes of a file.
    func overwrite(_ name: String, with bytes: [UInt8]) throws {
        guard let file = fopen("\(self.path.string)/\(name)", "r+b") else { throw CannotBeMade() }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CannotBeMade() }
    }

    /// A copy of it as it is at this moment: what a process that is killed now leaves behind, memory-mapped files included.
    func copy() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        try Self.copy(self.path.string, to: copy.path.string)
        return copy
    }

    private static func copy(_ from: String, to: String) throws {
        guard let folder = opendir(from) else {
            let bytes = try Fixtures.bytes(from)
            guard let file = fopen(to, "wb") else { throw CannotBeMade() }
            defer { fclose(file) }
            guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CannotBeMade() }
            return
        }
        defer { closedir(folder) }
        mkdir(to, 0o700)
        for name in Self.names(in: folder) { try Self.copy("\(from)/\(name)", to: "\(to)/\(name)") }
    }

    private static func names(in folder: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        guard let folder = opendir(path) else {
            unlink(path)
            return
        }
        for name in Self.names(in: folder) { Self.remove("\(path)/\(name)") }
        closedir(folder)
        rmdir(path)
    }
}

extension ShadowStore.Configuration {
    /// Files that are short enough for a test to fill some.
    static var small: Self {
        var configuration = Self()
        configuration.segmentBytes = 64 << 10
        return configuration
    }
}
