import NIOCore

/// One SSTable, open for reading. It can be shared; what reads it is a `SSTableScanner` of each reader.
///
/// Opening it reads its statistics and the heads of its other components, and checks that all of them are there.
public struct SSTable: Sendable {
    /// Its name.
    public let name: SSTableName
    /// How its rows are written.
    public let header: SerializationHeader
    /// What it knows of its data.
    public let statistics: Statistics
    let data: DataFile

    /// Opens the SSTable whose `Data.db` is at `path`.
    public init(dataFile path: String, limits: SSTableLimits = .init()) throws(SSTableError) {
        try self.init(try SSTableName(dataFile: path), limits: limits)
    }

    /// Opens an SSTable.
    public init(_ name: SSTableName, limits: SSTableLimits = .init()) throws(SSTableError) {
        self.name = name
        let components = try Self.components(name, limits)
        let info = SSTableName.Component.compressionInfo
        let hasInfo = components.contains(info.rawValue) || SystemCalls.isFolder(name.path(info)) == false
        self.data = try DataFile(name, hasCompressionInfo: hasInfo, limits)
        let statistics = try StatisticsFile(name, limits)
        self.header = statistics.header
        self.statistics = statistics.statistics
    }

    /// Plain bytes of its data.
    public var dataLength: Int64 { self.data.length }
    /// Bytes of its data file.
    public var fileLength: Int64 { self.data.file.size }

    /// How its data is packed.
    public var compressor: Compressor {
        switch self.data.layout {
        case .compressed(let info): info.compressor
        case .plain: .none
        }
    }

    /// Whether its order of partitions is known here.
    var isOrdered: Bool {
        switch self.statistics.partitioner {
        case .murmur3, .byteOrdered: true
        case .other: false
        }
    }

    /// Reads it from its beginning to its end.
    public func scanner() -> SSTableScanner { SSTableScanner(self, nil) }

    func scanner(_ places: ColumnPlaces) -> SSTableScanner { SSTableScanner(self, places) }

    /// The components that `TOC.txt` names, all of which must be there; none where there is no such file.
    private static func components(_ name: SSTableName, _ limits: SSTableLimits) throws(SSTableError) -> Set<String> {
        let path = name.path(.contents)
        guard SystemCalls.isFolder(path) == false else { return [] }
        let bytes = try ComponentFile(path).whole(limit: limits.smallFileBytesMax)
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        for component in SSTableName.Component.allCases where lines.contains(component.rawValue) {
            guard let isFolder = SystemCalls.isFolder(name.path(component)), !isFolder else {
                let fault = SystemCalls.isFolder(name.path(component)) == nil ? "is missing" : "is a folder"
                throw SSTableError(.missing, name.path(component), "\(fault), and \(path) names it")
            }
        }
        return Set(lines)
    }

    /// Reads the whole data file and compares it with `Digest.crc32`; true where there is no such file.
    ///
    /// Chunks have checksums of their own, which every read compares; this one covers the file as a whole.
    public func digestMatches() throws(SSTableError) -> Bool {
        guard let stored = try self.storedDigest() else { return true }
        return try RunningDigest().finished(self.data) == stored
    }

    /// What `Digest.crc32` says; nil where there is no such file.
    func storedDigest() throws(SSTableError) -> UInt32? {
        let path = self.name.path(.digest)
        guard SystemCalls.isFolder(path) == false else { return nil }
        let bytes = try ComponentFile(path).whole(limit: self.data.limits.smallFileBytesMax)
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        guard let stored = UInt32(text.prefix { !$0.isWhitespace }) else {
            throw SSTableError(.malformed, path, at: 0, "holds no checksum")
        }
        return stored
    }
}

extension SSTable {
    /// The kind of its table as `sstabledump` of its server shows it; nil where that does not. Index tables lie in folders
    /// whose names begin with a dot.
    public var tableKind: String? {
        guard self.name.version.showsTableKind else { return nil }
        let folder = self.name.folder.split(separator: "/").last ?? ""
        return folder.hasPrefix(".") && folder.count > 1 && folder != ".." ? "INDEX" : "REGULAR"
    }
}
