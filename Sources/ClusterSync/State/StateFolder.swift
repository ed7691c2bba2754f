import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Why the state folder cannot be used.
struct StateError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        /// The folder cannot be made or written.
        case unusable
        /// Another process owns it.
        case locked
        /// No copy of the state can be read.
        case damaged
    }

    let code: Code
    let description: String
}

/// The folder that outlives the process. One process owns it at a time, by a lock on the file `lock`; the lock goes with
/// the process, however it ends.
final class StateFolder: Sendable {
    let path: String
    private let lock: Int32

    /// The longest file that is read, in bytes.
    static let fileBytesMax = 4 << 20

    init(path: String) throws(StateError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            let reason = Self.reason(error)
            throw StateError(code: .unusable, description: "the state folder '\(path)' cannot be made: \(reason)")
        }
        let lockPath = "\(path)/lock"
        let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw StateError(code: .unusable, description: "'\(lockPath)' cannot be opened: \(Self.reason())")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw StateError(
                code: .locked,
                description:
                    "another cluster-sync owns the state folder '\(path)'; give each process its own (state_dir)"
            )
        }
        self.lock = lock
    }

    deinit { close(self.lock) }

    /// The content of a file, or nil where there is none.
    ///
    /// - Parameter bytesMax: how much of it is read.
    func content(of name: String, bytesMax: Int = fileBytesMax) throws(StateError) -> [UInt8]? {
        let path = "\(self.path)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StateError(code: .unusable, description: "'\(path)' cannot be read")
        }
        return Array(data.prefix(bytesMax))
    }

    /// Replaces a file as a whole: after a crash it holds the old content or the new one. Returns when the disk has it.
    func replace(_ name: String, with bytes: [UInt8]) throws(StateError) {
        let path = "\(self.path)/\(name)"
        let temporary = path + ".tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failed("open", temporary) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.writeSome(file, $0) }
            guard count > 0 else { throw Self.failed("write", temporary) }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw Self.failed("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw Self.failed("rename", temporary) }
        let folder = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failed("open", self.path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.failed("fsync", self.path) }
    }

    private static func writeSome(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            let count = write(file, bytes.baseAddress, bytes.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func failed(_ call: String, _ path: String) -> StateError {
        StateError(code: .unusable, description: "\(call) of '\(path)' failed: \(self.reason())")
    }

    /// The system's words, where an error has some.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? CocoaError, let cause = error.underlying as? POSIXError else { return "\(error)" }
        return String(cString: strerror(cause.code.rawValue))
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
