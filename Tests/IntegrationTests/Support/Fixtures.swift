#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Recorded bytes of real servers, which may not be there.
enum Fixtures {
    struct Unreadable: Error {
        let path: String
    }

    /// The folder of one server's recordings; `nil` where it is absent.
    static func wire(_ server: String) -> String? {
        let given = getenv("CLUSTER_SYNC_FIXTURES").map { String(cString: $0) }
        for root in [given, "../shared/fixtures"].compactMap({ $0 }) where access("\(root)/wire/\(server)", R_OK) == 0 {
            return "\(root)/wire/\(server)"
        }
        return nil
    }

    /// The folder of recorded SSTables, such as `cassandra-4.1/wide`; `nil` where it is absent.
    static func sstables(_ folder: String) -> String? {
        let given = getenv("CLUSTER_SYNC_FIXTURES").map { String(cString: $0) }
        return [given, "../shared/fixtures"].compactMap(\.self).map { "\($0)/sstables/\(folder)" }.first {
            access($0, R_OK) == 0
        }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw Unreadable(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    static func text(_ path: String) throws -> String { String(decoding: try self.bytes(path), as: UTF8.self) }
}
