/// Keeps which indexes of a cluster are dropped, for whoever is to bring them back. Safe from any task.
protocol IndexStore: Sendable {
    /// Where that is, for people.
    var place: String { get }

    /// What is recorded at this moment, whoever changes it. Changes nothing, and makes nothing that is missing.
    func read() async throws -> IndexRecords

    /// The right to change records; makes what is missing.
    ///
    /// - Throws: ``IndexError/Code/inUse`` where only one may have it at a time and somebody has.
    func open() async throws -> any IndexLedger

    /// Sees to it, once, that nobody else brings back what a load over these tables has dropped, whichever worker did. It is
    /// called again and again during a load, ``holdInterval`` apart.
    func hold(_ tables: Set<IndexedTable>) async throws

    /// How often ``hold(_:)`` is to be called; nil where it does nothing.
    var holdInterval: Duration? { get }
}

/// The right to change the records of an ``IndexStore``, for as long as it lives.
protocol IndexLedger: Sendable {
    /// What is recorded.
    func read() async throws -> IndexRecords

    /// Records indexes that are about to be dropped. When it returns, no crash loses them.
    ///
    /// - Parameter purpose: what they are dropped for.
    /// - Returns: those that are the caller's to drop. Others of its load may be dropping the rest at this moment.
    /// - Throws: ``IndexError/Code/inUse`` where somebody else works with one of them.
    func record(_ indexes: [TableIndex], for purpose: IndexRecords.Purpose) async throws -> [TableIndex]

    /// Asks to be the one who brings an index back.
    func take(_ index: TableIndex) async throws -> IndexTaking

    /// Says that an index that was taken is there again.
    func settle(_ index: TableIndex) async throws

    /// Lets others take an index that was taken or recorded.
    func release(_ index: TableIndex) async throws

    /// Forgets an index.
    ///
    /// - Returns: whether it was recorded.
    func remove(_ keyspace: String, _ name: String) async throws -> Bool
}

/// What comes of asking for an index that is to be brought back.
enum IndexTaking: Sendable, Hashable {
    /// It is the caller's.
    case taken
    /// It is there again, or was forgotten: there is nothing to do.
    case settled
    /// Somebody else works with it.
    case held(IndexHolder)
}

/// Who answers for a dropped index.
public struct IndexHolder: Sendable, Hashable, CustomStringConvertible {
    /// The job.
    public let job: String
    /// Its worker.
    public let worker: String

    /// The worker and its job.
    public var description: String { "worker \(self.worker) of job \(self.job)" }
}

/// The records of a job's folder, for one process at a time.
struct FolderIndexStore: IndexStore {
    let folder: String

    var place: String { "'\(self.folder)/\(IndexFile.name)'" }
    var holdInterval: Duration? { nil }

    func read() async throws -> IndexRecords { try IndexFile.read(folder: self.folder) }
    func open() async throws -> any IndexLedger { try IndexFile(folder: self.folder) }
    func hold(_ tables: Set<IndexedTable>) async throws {}
}

extension IndexFile: IndexLedger {
    func record(_ indexes: [TableIndex], for purpose: IndexRecords.Purpose) async throws -> [TableIndex] {
        var records: IndexRecords = try self.read()
        for index in indexes { records.put(index, isOwed: true) }
        try self.replace(with: records)
        return indexes
    }

    func take(_ index: TableIndex) async throws -> IndexTaking { .taken }

    func settle(_ index: TableIndex) async throws {
        var records: IndexRecords = try self.read()
        records.put(index, isOwed: false)
        try self.replace(with: records)
    }

    func release(_ index: TableIndex) async throws {}

    func remove(_ keyspace: String, _ name: String) async throws -> Bool {
        var records: IndexRecords = try self.read()
        guard records.remove(keyspace, name) else { return false }
        try self.replace(with: records)
        return true
    }
}
