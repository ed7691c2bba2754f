#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The lock that makes a process the owner of a journal. It goes with the process, however that ends.
final class DirectoryLock: Sendable {
    static let name = "LOCK"
    /// An inspector holds the lock for a moment to see whether it is free; so often a failed attempt is repeated …
    private static let attemptsMax = 5
    /// … after so many microseconds.
    private static let pauseMicroseconds: UInt32 = 20_000

    private let descriptor: Int32

    init(in folder: String) throws(JournalError) {
        let path = "\(folder)/\(Self.name)"
        let (descriptor, number) = SystemCalls.open(path, O_RDWR | O_CREAT)
        guard descriptor >= 0 else {
            guard number != ELOOP else {
                throw JournalError(.symbolicLink, path, "'\(path)' is a symbolic link; remove it")
            }
            throw .failed("open", path, number)
        }
        for attempt in 1... {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
            let number = errno
            guard number == EWOULDBLOCK || number == EINTR, attempt < Self.attemptsMax else {
                let owner = Self.pid(descriptor)
                close(descriptor)
                guard number == EWOULDBLOCK else { throw .failed("flock", path, number) }
                throw JournalError(
                    .inUse,
                    folder,
                    "the journal '\(folder)' is in use by \(owner.map { "process \($0)" } ?? "another process"); end it, or "
                        + "give each sidecar a folder of its own"
                )
            }
            usleep(Self.pauseMicroseconds)
        }
        self.descriptor = descriptor
        _ = ftruncate(descriptor, 0)
        _ = SystemCalls.write(descriptor, Array("\(getpid())\n".utf8))
    }

    deinit { close(self.descriptor) }

    /// Who owns the journal in `folder`, without changing anything; nil where nobody does.
    static func owner(of folder: String) -> (isOwned: Bool, pid: Int?) {
        let (descriptor, _) = SystemCalls.open("\(folder)/\(Self.name)", O_RDONLY)
        guard descriptor >= 0 else { return (false, nil) }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return (false, nil) }
        return (errno == EWOULDBLOCK, self.pid(descriptor))
    }

    private static func pid(_ descriptor: Int32) -> Int? {
        var buffer: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &buffer) { bytes in
            let (count, _) = SystemCalls.read(descriptor, at: 0, into: bytes)
            return Int(String(decoding: bytes.prefix(count).prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
        }
    }
}
