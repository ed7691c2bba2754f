import DualWriteCore
import DualWriter
import Logging
import Operations

/// The partitions in doubt, and whether partitions are still owed something.
extension SidecarControl {
    /// Questions about what is owed that are answered at a time.
    private static var questionsMax: Int { 2 }

    func dirty(_ question: DirtyQuestion) throws(AdminError) -> DirtyDocument {
        let cluster = question.cluster.flatMap(Self.cluster)
        let table = try question.table.map { text throws(AdminError) in try Self.name(text) }
        let groups = self.proxy.dirtySummary().filter { cluster == nil || $0.cluster == cluster }.sorted {
            ($0.reason.severity, $0.count, $1.table.cql ?? "") > ($1.reason.severity, $1.count, $0.table.cql ?? "")
        }
        return DirtyDocument(
            summary: groups.prefix(DirtyDocument.groupsMax).map {
                .init(
                    cluster: $0.cluster.description,
                    table: $0.table.cql,
                    reason: $0.reason.name,
                    severity: $0.reason.severity.name,
                    partitions: $0.count
                )
            },
            groupsLeftOut: Swift.max(0, groups.count - DirtyDocument.groupsMax),
            partitions: self.partitions(question, table, on: cluster).map { DirtyDocument.Partition($0) },
            total: groups.reduce(0) { $0 + $1.count }
        )
    }

    private func partitions(
        _ question: DirtyQuestion,
        _ table: TableName?,
        on cluster: Cluster?
    ) -> [DirtyPartition] {
        guard let table else { return self.proxy.dirtyPartitions(on: cluster, max: question.limit) }
        let place = DirtyPartition.Place(keyspace: table.keyspace, table: table.table ?? "", key: nil)
        let found = Cluster.allCases.filter { cluster == nil || $0 == cluster }.flatMap {
            self.proxy.dirtyPartitions(of: place, on: $0, after: question.after, max: question.limit)
        }
        return Array(found.sorted { $0.mark < $1.mark }.prefix(question.limit))
    }

    private static func name(_ text: String) throws(AdminError) -> TableName {
        if let name = TableName(text) { return name }
        throw AdminError(
            .invalidDocument,
            "table: '\(text)' is no name of a table.",
            hint: "Write keyspace.table, or keyspace.* for all of a keyspace. Nothing was changed."
        )
    }

    func clear(_ clearing: DirtyClearing) async throws(AdminError) -> DirtyClearingDocument {
        let cluster = try await self.journalled(clearing.cluster)
        let name = try clearing.table.map { text throws(AdminError) in try Self.name(text) }
        let cleared: Int
        if let ids = clearing.ids {
            // Each names one entry as it was seen: this and other changes are not in each other's way.
            cleared = self.proxy.clearDirtyPartitions(of: cluster, marks: ids)
        } else {
            try self.begin()
            defer { self.end() }
            cleared = self.clear(name, on: cluster)
        }
        // An entry that was named may have gone, or come again, since it was seen: that is no fault.
        guard cleared > 0 || clearing.ids != nil else {
            throw AdminError(
                .nothingFound,
                "No partition \(name.map { "of \($0) " } ?? "")is in doubt on the \(cluster) cluster.",
                hint: "GET /v1/dirty?cluster=\(cluster) lists what is. Nothing was changed."
            )
        }
        let left = self.proxy.dirtySummary().reduce(0) { $1.cluster == cluster ? $0 + $1.count : $0 }
        let what = name?.description ?? (clearing.ids == nil ? "all tables" : "those named")
        self.audit(
            .dirtyClear,
            "\(cleared) partitions of \(what) on the \(cluster) cluster, \(left) left",
            by: clearing.by,
            reason: clearing.reason
        )
        self.logger.notice(
            "partitions are in doubt no more",
            metadata: [
                "cluster": "\(cluster)", "table": "\(name?.description ?? (clearing.ids == nil ? "all" : "by id"))",
                "count": "\(cleared)",
                "left": "\(left)", "by": "\(clearing.by)", "reason": "\(clearing.reason)",
            ]
        )
        return DirtyClearingDocument(
            cluster: cluster.description,
            table: name?.description,
            cleared: cleared,
            left: left
        )
    }

    private func clear(_ name: TableName?, on cluster: Cluster) -> Int {
        guard let name else { return self.proxy.clearDirtyPartitions(of: cluster, table: nil) }
        if let table = name.table {
            let place = DirtyPartition.Place(keyspace: name.keyspace, table: table, key: nil)
            return self.proxy.clearDirtyPartitions(of: cluster, table: place)
        }
        let places = self.proxy.dirtySummary().filter { $0.cluster == cluster && $0.table.keyspace == name.keyspace }
        return Set(places.map(\.table)).reduce(0) { $0 + self.proxy.clearDirtyPartitions(of: cluster, table: $1) }
    }

    func owed(_ question: OwedQuestion) async throws(AdminError) -> OwedDocument {
        guard self.questions < Self.questionsMax else {
            throw AdminError(
                .busy,
                "Others ask what partitions are owed.",
                hint: "Looking takes some of the time that clients have otherwise. Ask again in a moment."
            )
        }
        self.questions += 1
        defer { self.questions -= 1 }
        let partitions = OwedPartitions(keyspace: question.keyspace, table: question.table, keys: Set(question.keys))
        let answer = await self.proxy.owed(partitions)
        return OwedDocument(
            owed: question.keys.indices.filter { answer.owed.contains(question.keys[$0]) },
            complete: answer.isComplete
        )
    }
}

extension DirtyDocument.Partition {
    init(_ partition: DirtyPartition) {
        self.init(
            cluster: partition.cluster.description,
            table: partition.place.cql,
            key: partition.place.key.map { Human.hexadecimal($0.prefix(Self.keyBytesMax)) },
            keyBytes: partition.place.key?.count,
            reason: partition.reason.name,
            since: Timestamp.text(milliseconds: partition.since),
            id: "\(partition.mark)"
        )
    }
}

extension DirtyPartition.Place {
    /// The table as CQL names it; nil where nobody knows where the doubt is.
    var cql: String? {
        guard !self.keyspace.isEmpty else { return nil }
        return TableName(keyspace: self.keyspace, table: self.table.isEmpty ? nil : self.table).description
    }
}
