import SSTable

/// The files of one folder, put together to SSTables.
struct FolderFiles {
    /// SSTables with all that reading them needs, sorted by path.
    var complete: [SSTableName] = []
    private(set) var problems: [SSTableFolder.Notice] = []
    private(set) var leftOut: [SSTableFolder.Notice] = []
    /// Bytes of all files of the complete ones.
    private(set) var bytes: Int64 = 0

    private static var dataSuffix: String { "-" + SSTableName.Component.data.rawValue }

    /// Whether names are those of a folder with SSTables, finished or not.
    static func holdsTables(_ names: [String]) -> Bool {
        names.contains { $0.hasSuffix(Self.dataSuffix) || Self.isLog($0) || Self.set(of: $0) != nil }
    }

    /// While a server flushes or compacts, its log says which files count.
    private static func isLog(_ name: String) -> Bool { name.contains("_txn_") && name.hasSuffix(".log") }

    /// The set that a component belongs to, and the component; nil for other files.
    private static func set(of name: String) -> (set: Substring, component: Substring)? {
        let parts = name.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, ["big", "bti"].contains(parts[2]), parts[0].utf8.count == 2 else { return nil }
        return (name[..<parts[2].endIndex], parts[3])
    }

    init(folder: String, names: [String]) {
        let prefix = folder.isEmpty ? "" : folder == "/" ? "/" : "\(folder)/"
        if let log = names.first(where: { Self.isLog($0) }) {
            // Until its transaction has ended, new files hold what old ones hold, too; which of them count changes meanwhile.
            let reason =
                "a server is at work in it: \(log) says which files count; read a snapshot, which nodetool snapshot makes"
            self.problems.append(.init(path: folder, reason: reason))
            return
        }
        var sets: [Substring: Set<Substring>] = [:]
        for name in names {
            if name.hasPrefix("tmp-") || name.hasPrefix("tmplink-") {
                self.leftOut.append(.init(path: prefix + name, reason: "its server has not finished it"))
            } else if let (set, component) = Self.set(of: name) {
                sets[set, default: []].insert(component)
            } else if name.hasSuffix(Self.dataSuffix) {
                self.problems.append(.init(path: prefix + name, reason: Self.refusal(prefix + name)))
            }
        }
        for (set, components) in sets.sorted(by: { $0.key < $1.key }) {
            self.check(prefix + set, components) { component in
                SystemCalls.fileSize("\(prefix)\(set)-\(component)") ?? 0
            }
        }
    }

    /// Why a data file of another format is not read.
    private static func refusal(_ path: String) -> String {
        do throws(SSTableError) {
            _ = try SSTableName(dataFile: path)
            return "is not the data file of an SSTable"
        } catch {
            return error.description
        }
    }

    private mutating func check(_ prefix: String, _ components: Set<Substring>, size: (Substring) -> Int64) {
        let path = prefix + Self.dataSuffix
        guard !components.contains(where: { $0.hasPrefix("TemporaryTOC") || $0.hasSuffix(".tmp") }) else {
            self.leftOut.append(.init(path: path, reason: "its server has not finished it"))
            return
        }
        let name: SSTableName
        do throws(SSTableError) {
            name = try SSTableName(dataFile: path)
        } catch {
            self.problems.append(.init(path: path, reason: error.description))
            return
        }
        let needed: [SSTableName.Component] =
            switch name.version.family {
            case .big: [.data, .statistics, .index]
            case .bti: [.data, .statistics, .partitions, .rows]
            }
        let missing = needed.map(\.rawValue).filter { !components.contains($0[...]) }
        guard missing.isEmpty else {
            let reason =
                "\(missing.joined(separator: ", ")) missing; copy the SSTable again, with all files that its TOC.txt names"
            self.problems.append(.init(path: path, reason: reason))
            return
        }
        self.complete.append(name)
        self.bytes += components.reduce(0) { $0 + size($1) }
    }
}
