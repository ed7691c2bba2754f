import Logging
import ServiceLifecycle
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Gives back what only the start has needed of the program's file and its libraries: two thirds of what the kernel counts as a
/// resting sidecar's memory.
///
/// The pages stay in the kernel's cache as long as it has room, and are mapped again when they are touched.
struct ProgramPages: Service {
    /// The start is over by then, or waits for a cluster.
    private static var delay: Duration { .seconds(1) }

    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.delay) }
        } catch is CancellationError {
            return
        }
        #if os(Linux)
        if let map = try? Self.map() {
            let ranges = Self.unchanged(in: map)
            for range in ranges {
                _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
            }
            self.logger.debug("gave back pages of the program", metadata: ["mappings": "\(ranges.count)"])
        }
        #endif
        try await gracefulShutdown()
    }

    /// The kernel's text has no length that could be asked for.
    private static func map() throws -> String {
        let file = try FileDescriptor.open("/proc/self/smaps", .readOnly)
        return try file.closeAfter {
            var text: [UInt8] = []
            let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
            defer { part.deallocate() }
            while case let count = try file.read(into: part), count > 0 { text += part[..<count] }
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// The mappings of files, in the text of `/proc/self/smaps`, that cannot be written to and of which nothing was ever changed
    /// here: what the file says is what they say. Where the loader has put in addresses, there are pages of the process's own.
    static func unchanged(in map: String) -> [Range<UInt>] {
        var ranges: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in map.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let first = words.first else { continue }
            if !first.hasSuffix(":") {
                let bounds = first.split(separator: "-").compactMap { UInt($0, radix: 16) }
                let isFile = words.count > 5 && words[5].hasPrefix("/")
                let isFixed = words.count > 1 && words[1].hasPrefix("r-") && words[1].hasSuffix("p")
                candidate =
                    bounds.count == 2 && bounds[0] < bounds[1] && isFile && isFixed ? bounds[0]..<bounds[1] : nil
            } else if first == "Anonymous:", words.count > 1, words[1] == "0", let range = candidate {
                ranges.append(range)
                candidate = nil
            }
        }
        return ranges
    }
}
