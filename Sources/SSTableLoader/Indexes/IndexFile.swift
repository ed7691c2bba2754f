#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The file with the records in a job's folder. While one of these lives, no other process or task changes it; the lock goes
/// with the process, however that ends.
final class IndexFile: Sendable {
    static let name = "indexes.jsonl"
    private static let bytesMax = 64 << 20

    private let folder: String
    private let lock: Int32

    /// Makes the folder where it is missing, and takes the lock.
    init(folder: String) throws(IndexError) {
        if mkdir(folder, 0o700) == 0 {
            // Else the folder itself may be gone after the machine has stopped.
            try Self.sync(folder + "/..")
        } else if errno != EEXIST {
            throw Self.failed("mkdir", folder)
        }
        let path = "\(folder)/indexes.lock"
        let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.failed("open", path) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let error =
                errno == EWOULDBLOCK
                ? IndexError(.inUse, "somebody else drops or restores indexes with the folder '\(folder)'")
                : Self.failed("flock", path)
            close(lock)
            throw error
        }
        self.folder = folder
        self.lock = lock
    }

    deinit { close(self.lock) }

    /// What the file says; nothing where there is none.
    func read() throws(IndexError) -> IndexRecords { try Self.read(folder: self.folder) }

    /// What the file says at this moment, without the lock: the old content or the new one as a whole.
    static func read(folder: String) throws(IndexError) -> IndexRecords {
        let path = "\(folder)/\(Self.name)"
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return IndexRecords() }
            throw Self.failed("open", path)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, off_t(bytes.count)) }
            if count == 0 { return IndexRecords(lines: String(decoding: bytes, as: UTF8.self)) }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Self.failed("read", path)
            }
            bytes += chunk[..<count]
            guard bytes.count <= Self.bytesMax else {
                throw IndexError(.file, "'\(path)' has more than \(Self.bytesMax) bytes: it is not ours")
            }
        }
    }

    /// Replaces the file as a whole. When it returns, the disk has the new content, under its name.
    func replace(with records: IndexRecords) throws(IndexError) {
        let path = "\(self.folder)/\(Self.name)"
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failed("open", temporary) }
        defer { close(file) }
        var rest = Array(records.text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw Self.failed("write", temporary)
            }
        }
        guard fsync(file) == 0 else { throw Self.failed("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw Self.failed("rename", temporary) }
        // Without this the name may still mean the old content after the machine has stopped.
        try Self.sync(self.folder)
    }

    private static func sync(_ path: String) throws(IndexError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw self.failed("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw self.failed("fsync", path) }
    }

    private static func failed(_ call: String, _ path: String) -> IndexError {
        let number = errno
        let reason = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return IndexError(.file, "\(call) of '\(path)' failed: \(reason)")
    }
}
