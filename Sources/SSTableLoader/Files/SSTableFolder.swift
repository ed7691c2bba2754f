public import SSTable

/// What lies on disk: the tables under a path and their SSTables.
///
/// A path may be the folder of a table (`ks/table-<id>/`), of one of its snapshots or its backups, a data directory with many
/// keyspaces, or any folder above these. Only names and sizes are read; what is not loaded is told with its reason.
public struct SSTableFolder: Sendable, Hashable {
    /// Which of a table's folders are read.
    public enum Place: Sendable, Hashable {
        /// Where its server works.
        case live
        /// A snapshot by its name.
        case snapshot(String)
        /// What incremental backups have left.
        case backups
    }

    /// One table and its SSTables.
    public struct Table: Sendable, Hashable {
        /// The keyspace, by the name of its folder; the job may say otherwise.
        public var keyspace: String
        /// The name of the table, by that of its folder; the job may say otherwise.
        public var name: String
        /// The folder of the table; several folders where several data directories hold it.
        public internal(set) var folders: [String]
        /// Its SSTables, sorted by path.
        public internal(set) var tables: [SSTableName]
        /// Bytes of all their files.
        public internal(set) var bytes: Int64
        /// Bytes of their data files.
        public internal(set) var dataBytes: Int64
    }

    /// Something that is not loaded.
    public struct Notice: Sendable, Hashable, CustomStringConvertible {
        /// The file or folder.
        public let path: String
        /// Why, and what to do.
        public let reason: String

        /// Both.
        public var description: String { "'\(self.path)': \(self.reason)" }
    }

    /// The tables, sorted by keyspace and name.
    public private(set) var tables: [Table] = []
    /// What ought to be loaded and cannot be: data is missing without it.
    public private(set) var problems: [Notice] = []
    /// What is left out on purpose.
    public private(set) var leftOut: [Notice] = []

    /// Keyspaces that belong to a server itself; a new cluster has its own.
    public static let systemKeyspaces: Set<String> = [
        "system", "system_schema", "system_auth", "system_distributed", "system_distributed_everywhere",
        "system_traces",
        "system_views", "system_virtual_schema", "system_replicated_keys", "system_cluster_metadata", "audit",
        "dse_system", "dse_security", "dse_perf", "dse_leases", "dse_insights", "solr_admin", "OpsCenter",
        "cluster_sync",
    ]

    /// Folders lie no deeper than this below the path; it bounds the search.
    private static var depthMax: Int { 6 }

    private let places: [Place]

    /// Finds what lies under a path.
    ///
    /// - Throws: where the path names nothing or cannot be listed. What is wrong with single tables is in ``problems``.
    public init(_ path: String, places: [Place] = [.live]) throws(SSTableError) {
        try self.init([path], places: places)
    }

    /// Finds what lies under several paths, as of the nodes of a cluster; what is of one table comes together.
    ///
    /// - Throws: where a path names nothing or cannot be listed. What is wrong with single tables is in ``problems``.
    public init(_ paths: [String], places: [Place] = [.live]) throws(SSTableError) {
        self.places = places
        for path in paths { try self.find(path) }
        self.refuseTwoIDs()
        self.tables.sort { ($0.keyspace, $0.name) < ($1.keyspace, $1.name) }
    }

    private mutating func find(_ path: String) throws(SSTableError) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard try SSTableName.isFolder(path) else {
            let name = try SSTableName(dataFile: path)
            var files = FolderFiles(folder: name.folder, names: [])
            files.complete = [name]
            self.add([files], under: Self.owner(of: name.folder))
            return
        }
        try self.search(path, depth: 0)
    }

    // MARK: Search

    private mutating func search(_ path: String, depth: Int) throws(SSTableError) {
        let (names, number) = SystemCalls.names(in: path)
        guard number == 0 else {
            let reason = "cannot be listed: \(SystemCalls.reason(number))"
            guard depth > 0 else { throw SSTableError(unreadable: path, reason) }
            return self.problems.append(Notice(path: path, reason: reason))
        }
        let owner = Self.owner(of: path)
        if Self.systemKeyspaces.contains(owner.keyspace), Self.isTable(path) || FolderFiles.holdsTables(names) {
            return self.leftOut.append(Notice(path: path, reason: "the keyspace \(owner.keyspace) is the server's own"))
        }
        if Self.isTable(path) { return self.table(path, names, owner) }
        if FolderFiles.holdsTables(names) {
            return self.add([FolderFiles(folder: path, names: names)], under: owner)
        }
        guard depth < Self.depthMax else { return }
        for name in names where SystemCalls.isFolder("\(path)/\(name)") == true {
            if depth > 0 || !Self.systemKeyspaces.contains(name) {
                try self.search("\(path)/\(name)", depth: depth + 1)
            } else {
                self.leftOut.append(Notice(path: "\(path)/\(name)", reason: "the keyspace is the server's own"))
            }
        }
    }

    /// The folder of a table: of it the chosen places.
    private mutating func table(_ path: String, _ names: [String], _ owner: Owner) {
        var files: [FolderFiles] = []
        for place in self.places {
            let folder: String
            switch place {
            case .live: folder = path
            case .snapshot(let name): folder = "\(path)/snapshots/\(name)"
            case .backups: folder = "\(path)/backups"
            }
            guard SystemCalls.isFolder(folder) == true else {
                self.leftOut.append(Notice(path: folder, reason: "there is no such folder in this table"))
                continue
            }
            let (names, number) = place == .live ? (names, 0) : SystemCalls.names(in: folder)
            guard number == 0 else {
                let reason = "cannot be listed: \(SystemCalls.reason(number))"
                self.problems.append(Notice(path: folder, reason: reason))
                continue
            }
            files.append(FolderFiles(folder: folder, names: names))
        }
        self.add(files, under: owner)
    }

    private mutating func add(_ files: [FolderFiles], under owner: Owner) {
        for files in files {
            self.problems += files.problems
            self.leftOut += files.leftOut
        }
        let complete = files.flatMap(\.complete)
        guard !complete.isEmpty else { return }
        let bytes = files.reduce(0) { $0 + $1.bytes }
        let dataBytes = complete.reduce(0) { $0 + (SystemCalls.fileSize($1.path(.data)) ?? 0) }
        let index = self.tables.firstIndex { $0.keyspace == owner.keyspace && $0.name == owner.table }
        if let index {
            self.tables[index].folders.append(owner.folder)
            self.tables[index].tables.append(contentsOf: complete)
            self.tables[index].bytes += bytes
            self.tables[index].dataBytes += dataBytes
        } else {
            let table = Table(
                keyspace: owner.keyspace,
                name: owner.table,
                folders: [owner.folder],
                tables: complete,
                bytes: bytes,
                dataBytes: dataBytes
            )
            self.tables.append(table)
        }
    }

    /// A table that was dropped and made again has two folders with different ids: which one was dropped cannot be seen, and
    /// both together would bring back what was dropped.
    private mutating func refuseTwoIDs() {
        for table in self.tables where Set(table.folders.map { Self.id(of: $0) ?? "" }).count > 1 {
            let reason =
                "\(table.keyspace).\(table.name) has SSTables under several ids, \(table.folders.joined(separator: ", "));"
                + " the id in system_schema.tables is the one that counts: name its folder"
            self.problems.append(Notice(path: table.folders[0], reason: reason))
        }
        self.tables.removeAll { table in Set(table.folders.map { Self.id(of: $0) ?? "" }).count > 1 }
    }

    // MARK: Names

    /// Whose SSTables a folder holds.
    private struct Owner {
        let keyspace: String
        let table: String
        /// The folder of the table.
        let folder: String
    }

    /// The keyspace and table that a folder belongs to, seen from its path: a snapshot lies two folders below its table.
    private static func owner(of folder: String) -> Owner {
        var parts = folder.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 2, parts[parts.count - 2] == "snapshots" {
            parts.removeLast(2)
        } else if parts.count > 1, parts.last == "backups" {
            parts.removeLast()
        }
        let table = parts.last ?? ""
        let name = self.id(of: table).map { String(table.dropLast($0.count + 1)) } ?? table
        return Owner(
            keyspace: parts.count > 1 ? parts[parts.count - 2] : "",
            table: name,
            folder: parts.joined(separator: "/")
        )
    }

    private static func isTable(_ path: String) -> Bool { self.id(of: path) != nil }

    /// The id behind the name of a table's folder: 32 hexadecimal digits (Cassandra's `Directories`).
    private static func id(of folder: String) -> String? {
        let name = folder.split(separator: "/").last ?? ""
        guard let dash = name.lastIndex(of: "-"), dash > name.startIndex else { return nil }
        let id = name[name.index(after: dash)...]
        return id.utf8.count == 32 && id.allSatisfy(\.isHexDigit) ? String(id) : nil
    }
}
