#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file of ours that is only added to. Not for two threads at once.
package struct DurableFile: ~Copyable {
    /// A system call that failed.
    package struct Failure: Error, CustomStringConvertible {
        package let call: String
        package let path: String
        package let number: Int32

        package var description: String {
            "'\(self.path)': \(self.call) failed: \(String(cString: strerror(self.number)))"
        }
    }

    package let path: String
    package private(set) var size: Int64
    private let descriptor: Int32

    /// Opens or makes it. Its values are those of rows, so that nobody else may read it.
    package init(_ path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure(call: "opening it", path: path, number: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw Failure(call: "asking for its size", path: path, number: number)
        }
        self.path = path
        self.size = Int64(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }

    /// Adds bytes; where that fails half-way, what was written of them is taken back.
    package mutating func append(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let number = errno
                _ = ftruncate(self.descriptor, off_t(self.size))
                throw Failure(call: "writing it", path: self.path, number: number)
            }
        }
        self.size += Int64(bytes.count)
    }

    /// Takes everything back that was ever added.
    package mutating func truncate() throws(Failure) {
        guard ftruncate(self.descriptor, 0) == 0 else {
            throw Failure(call: "emptying it", path: self.path, number: errno)
        }
        self.size = 0
        try self.sync()
    }

    /// What a file holds, as text; nothing where there is none. Bytes that are no UTF-8 are replaced.
    package static func contents(_ path: String) throws(Failure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return "" }
            throw Failure(call: "opening it", path: path, number: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes += chunk[..<count]
            } else if count == 0 {
                return String(decoding: bytes, as: UTF8.self)
            } else if errno != EINTR {
                throw Failure(call: "reading it", path: path, number: errno)
            }
        }
    }

    /// Returns when the disk has it.
    package borrowing func sync() throws(Failure) {
        guard fsync(self.descriptor) == 0 else { throw Failure(call: "fsync", path: self.path, number: errno) }
    }

    /// Gives a file a name that is free, and makes the names of its folder durable.
    package static func move(_ path: String, to target: String) throws(Failure) {
        guard link(path, target) == 0 else { throw Failure(call: "naming it \(target)", path: path, number: errno) }
        guard unlink(path) == 0 else { throw Failure(call: "removing its old name", path: path, number: errno) }
    }

    /// Gives a file the name `path.1`, and those that were put aside before the next number each; what is beyond `kept` goes.
    package static func rotate(_ path: String, kept: Int) throws(Failure) {
        for number in stride(from: kept, through: 1, by: -1) {
            let older = number == 1 ? path : "\(path).\(number - 1)"
            guard rename(older, "\(path).\(number)") != 0, errno != ENOENT else { continue }
            throw Failure(call: "putting it aside", path: older, number: errno)
        }
    }

    /// Makes the names in the folder of a file durable.
    package static func syncFolder(of path: String) throws(Failure) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "opening it", path: folder, number: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(call: "fsync", path: folder, number: errno) }
    }

    /// Makes a folder, and those above it, where they are missing. Nobody else may look into it.
    package static func makeFolder(_ path: String) throws(Failure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o700) != 0, errno != EEXIST, errno != EISDIR {
                throw Failure(call: "making it", path: made, number: errno)
            }
        }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
