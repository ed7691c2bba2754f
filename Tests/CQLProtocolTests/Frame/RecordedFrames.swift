import CQLProtocol
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The conversations recorded from real servers: every frame of every file, in order.
enum RecordedFrames {
    /// One recorded frame.
    struct Recorded: Sendable {
        let file: String
        let offset: Int
        let frame: RawFrame
    }

    /// The folder: `CLUSTER_SYNC_FIXTURES`, else `../shared/fixtures` beside the package.
    static let folder: String = {
        if let value = getenv("CLUSTER_SYNC_FIXTURES") { return String(cString: value) }
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        return root.joined(separator: "/") + "/../shared/fixtures"
    }()

    static var areThere: Bool { !self.files.isEmpty }

    /// All recorded files, sorted.
    static let files: [String] = Self.list(folder + "/wire").flatMap { version in
        Self.list(folder + "/wire/\(version)").flatMap { scenario in
            Self.list(folder + "/wire/\(version)/\(scenario)").filter { $0.hasSuffix(".bin") }
                .map { "\(version)/\(scenario)/\($0)" }
        }
    }

    /// The frames of one file. `negotiate` holds frames of versions that are not ours; they are left out.
    static func frames(of file: String) throws -> [Recorded] {
        var reader = FrameReader()
        reader.append(ByteBuffer(bytes: Self.read(folder + "/wire/" + file)))
        var frames: [Recorded] = []
        var offset = 0
        while let frame = try reader.nextFrame() {
            frames.append(Recorded(file: file, offset: offset, frame: frame))
            offset += frame.header.frameLength
        }
        return frames.filter { $0.frame.header.version.isSupported }
    }

    /// All rows of one file.
    static func rows(of file: String) throws -> [Row] {
        try responses(of: file).flatMap { response -> [Row] in
            guard case .result(.rows(let rows)) = response else { return [] }
            return rows.rows
        }
    }

    /// All responses of one file.
    static func responses(of file: String) throws -> [Response] {
        let compression: BodyCompression = file.contains("/snappy/") ? .snappy : .lz4
        return try frames(of: file).filter(\.frame.header.isResponse).map {
            try ResponseFrame(decoding: $0.frame.decompressed(with: compression)).response
        }
    }

    private static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}
