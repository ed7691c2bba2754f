/// The name that all components of one SSTable share: folder, version and generation.
public struct SSTableName: Hashable, Sendable, CustomStringConvertible {
    /// The folder; empty for the one that the process is in.
    public let folder: String
    /// The format.
    public let version: FormatVersion
    /// A number, or since 4.1 perhaps a time-based identifier.
    public let generation: String

    /// The components that are read here (Cassandra's `Component.Type`).
    public enum Component: String, Sendable, Hashable, CaseIterable {
        case data = "Data.db"
        case statistics = "Statistics.db"
        case compressionInfo = "CompressionInfo.db"
        case checksums = "CRC.db"
        case digest = "Digest.crc32"
        case contents = "TOC.txt"
        case index = "Index.db"
        case summary = "Summary.db"
        case partitions = "Partitions.db"
        case rows = "Rows.db"
    }

    /// The SSTable whose `Data.db` is at `path`.
    public init(dataFile path: String) throws(SSTableError) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(path[..<$0]) } ?? ""
        let file = slash.map { path[path.utf8.index(after: $0)...] } ?? path[...]
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[3] == Component.data.rawValue else {
            throw SSTableError(
                .name,
                path,
                "is not the data file of an SSTable",
                advice: "name a file such as nb-1-big-Data.db, or the folder of a table"
            )
        }
        guard let version = FormatVersion(letters: parts[0], family: parts[2]) else {
            let known = FormatVersion.supported.map(\.description).joined(separator: ", ")
            throw SSTableError(
                .unsupported,
                path,
                "has the format \(parts[0])-\(parts[2]), and \(known) are read here",
                advice: "let its server rewrite it with nodetool upgradesstables"
            )
        }
        // A path such as /nb-1-big-Data.db lies in the root.
        self.folder = slash == path.startIndex ? "/" : folder
        self.version = version
        self.generation = String(parts[1])
    }

    /// The path of a component.
    public func path(_ component: Component) -> String {
        let prefix = self.folder.isEmpty ? "" : self.folder == "/" ? "/" : "\(self.folder)/"
        return
            "\(prefix)\(self.version.letters)-\(self.generation)-\(self.version.family.rawValue)-\(component.rawValue)"
    }

    /// The path of the data.
    public var description: String { self.path(.data) }

    /// The SSTables in a folder, sorted by name.
    public static func all(in folder: String) throws(SSTableError) -> [Self] {
        let (names, number) = SystemCalls.names(in: folder)
        guard number == 0 else { throw .failed("listing it", folder, number) }
        // While a server compacts, SSTables that are not finished lie beside those that they will replace.
        if let log = names.first(where: { $0.contains("_txn_") && $0.hasSuffix(".log") }) {
            throw SSTableError(
                .unsupported,
                folder,
                "a server is at work in it: \(log) says which files count",
                advice: "read a snapshot, which nodetool snapshot makes"
            )
        }
        var all: [Self] = []
        for name in names where name.hasSuffix("-\(Component.data.rawValue)") {
            all.append(try Self(dataFile: folder.hasSuffix("/") ? "\(folder)\(name)" : "\(folder)/\(name)"))
        }
        return all
    }

    /// Whether a path names a folder rather than a file; a path that names nothing is an error.
    public static func isFolder(_ path: String) throws(SSTableError) -> Bool {
        guard let isFolder = SystemCalls.isFolder(path) else {
            throw SSTableError(.missing, path, "there is no such file or folder", advice: "check the path")
        }
        return isFolder
    }
}
