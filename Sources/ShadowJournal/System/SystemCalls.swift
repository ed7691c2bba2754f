#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The few calls that several parts need, with their interruptions hidden.
enum SystemCalls {
    /// The system's words for an errno.
    static func reason(_ number: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(number, base, buffer.count) == 0 else {
                return "error \(number)"
            }
            return String(cString: base)
        }
    }

    static func isDenial(_ number: Int32) -> Bool { number == EACCES || number == EPERM || number == EROFS }

    static func isDiskFull(_ number: Int32) -> Bool { number == ENOSPC || number == EDQUOT || number == EFBIG }

    /// Gives a file its length and all of its blocks, so that a write into its mapping never finds the disk full.
    @Sendable
    static func reserveBlocks(_ descriptor: Int32, _ length: Int) -> Int32 {
        while true {
            let number = posix_fallocate(descriptor, 0, off_t(length))
            if number != EINTR { return number }
        }
    }

    /// Opens a file of ours; never by way of a symbolic link.
    static func open(_ path: String, _ flags: Int32) -> (descriptor: Int32, errno: Int32) {
        while true {
            #if canImport(Glibc)
            let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
            #else
            let descriptor = Musl.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
            #endif
            if descriptor >= 0 { return (descriptor, 0) }
            if errno != EINTR { return (-1, errno) }
        }
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer at the end of the file. Nil and the errno in `failure` otherwise.
    static func read(_ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> (
        count: Int, errno: Int32
    ) {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let more = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + count))
            if more == 0 { break }
            if more < 0 {
                if errno == EINTR { continue }
                return (count, errno)
            }
            count += more
        }
        return (count, 0)
    }

    /// Writes all bytes at the descriptor's place; false, with `errno` set, where that fails.
    static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            #else
            let count = rest.withUnsafeBytes { Musl.write(descriptor, $0.baseAddress, $0.count) }
            #endif
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// The first bytes of a small file.
    static func content(of path: String, bytesMax: Int) -> (bytes: [UInt8]?, errno: Int32) {
        let (descriptor, number) = self.open(path, O_RDONLY)
        guard descriptor >= 0 else { return (nil, number) }
        defer { close(descriptor) }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, count in
            (count, failure) = self.read(descriptor, at: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return failure == 0 ? (bytes, 0) : (nil, failure)
    }

    /// The names in a folder, sorted, without `.` and `..`.
    static func names(in path: String) -> (names: [String], errno: Int32) {
        guard let folder = opendir(path) else { return ([], errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else { return (names.sorted(), errno) }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// What a path names, without following a link; nil and the errno where it names nothing.
    static func status(of path: String) -> (status: stat?, errno: Int32) {
        var status = stat()
        return lstat(path, &status) == 0 ? (status, 0) : (nil, errno)
    }

    static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
    static func isFile(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }
    static func isLink(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFLNK }

    /// Milliseconds since 1970.
    static func wallMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
