#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The few calls that reading files needs, with their interruptions hidden.
package enum SystemCalls {
    /// The system's words for an errno.
    package static func reason(_ number: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(number, base, buffer.count) == 0 else {
                return "error \(number)"
            }
            return String(cString: base)
        }
    }

    static func isDenial(_ number: Int32) -> Bool { number == EACCES || number == EPERM }

    static func isMissing(_ number: Int32) -> Bool { number == ENOENT || number == ENOTDIR }

    static func open(_ path: String) -> (descriptor: Int32, errno: Int32) {
        while true {
            #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            #elseif canImport(Musl)
            let descriptor = Musl.open(path, O_RDONLY | O_CLOEXEC)
            #else
            let descriptor = Darwin.open(path, O_RDONLY | O_CLOEXEC)
            #endif
            if descriptor >= 0 { return (descriptor, 0) }
            if errno != EINTR { return (-1, errno) }
        }
    }

    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
        _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #else
        _ = Darwin.close(descriptor)
        #endif
    }

    /// The size of an open file; nil for what is no regular file.
    static func size(_ descriptor: Int32) -> Int64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    /// The size of the file at a path; nil for what is no regular file.
    package static func fileSize(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    /// Whether a path names a folder; nil where it names nothing.
    package static func isFolder(_ path: String) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer at the end of the file, or with an errno.
    static func read(_ descriptor: Int32, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> (
        count: Int, errno: Int32
    ) {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let more = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(count))
            if more == 0 { break }
            if more < 0 {
                if errno == EINTR { continue }
                return (count, errno)
            }
            count += more
        }
        return (count, 0)
    }

    /// The names in a folder, sorted, without those that begin with a dot.
    package static func names(in folder: String) -> (names: [String], errno: Int32) {
        guard let stream = opendir(folder) else { return ([], errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return (names.sorted(), 0)
    }
}
