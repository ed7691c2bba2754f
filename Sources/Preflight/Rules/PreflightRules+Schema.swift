import CQLProtocol

/// What the rules say of keyspaces and tables.
extension PreflightRules {
    func keyspace(_ name: String, _ source: KeyspacePicture, _ tables: [String]) -> [Finding] {
        var findings = self.replication(name, source, .source)
        func add(
            _ severity: Finding.Severity,
            _ kind: String,
            _ cluster: ClusterRole?,
            _ what: String,
            _ advice: String
        ) { findings.append(.init(severity, kind, cluster, name, what, advice)) }
        guard let target = self.target.keyspaces[name] else {
            add(
                .blocks,
                "missing_keyspace",
                .target,
                "the target has no keyspace \(name)",
                "create it: --create-missing"
            )
            for table in tables {
                guard let one = source.tables[table] else { continue }
                findings += self.care(name, table, one)
            }
            return findings
        }
        findings += self.replication(name, target, .target)
        for (type, own) in source.types.sorted(by: { $0.key < $1.key }) {
            guard let other = target.types[type] else {
                add(.blocks, "missing_type", .target, "the target has no type \(type)", "create it: --create-missing")
                continue
            }
            guard own != other else { continue }
            add(
                .blocks,
                "type_differs",
                nil,
                "type \(type) has other fields on the target",
                "ALTER TYPE until both have the same fields in the same order"
            )
        }
        for function in source.functions.subtracting(target.functions).sorted() {
            add(
                .care,
                "missing_function",
                .target,
                "the target has no function \(function)",
                "create it before the target answers: statements that call it fail there"
            )
        }
        for (view, base) in source.views.sorted(by: { $0.key < $1.key }) where target.views[view] == nil {
            add(
                .care,
                "missing_view",
                .target,
                "the target has no view \(view) of \(base)",
                "create it after the load, before the target answers; nothing writes views but their own cluster"
            )
        }
        for (view, base) in target.views.sorted(by: { $0.key < $1.key }) {
            add(
                .note,
                "view",
                .target,
                "view \(view) of \(base) is kept by the target itself",
                "it is neither loaded nor compared; it makes the load of \(base) slower"
            )
        }
        for table in tables {
            guard let one = source.tables[table] else { continue }
            findings += self.care(name, table, one)
            guard let other = target.tables[table] else {
                findings.append(
                    .init(
                        .blocks,
                        "missing_table",
                        .target,
                        "\(name).\(table)",
                        "the target has no table \(name).\(table)",
                        "create it: --create-missing"
                    )
                )
                continue
            }
            findings += self.differences(name, table, one, other)
        }
        if target.hasTablets {
            add(
                .care,
                "tablets",
                .target,
                "the target keeps it in tablets",
                "older releases refuse counters, LWT, CDC and views there; requests are not sent by tokens but take a hop more"
            )
        }
        return findings
    }

    // MARK: Replication

    private func replication(_ name: String, _ keyspace: KeyspacePicture, _ role: ClusterRole) -> [Finding] {
        let picture = self.picture(role)
        var findings: [Finding] = []
        func add(_ severity: Finding.Severity, _ kind: String, _ what: String, _ advice: String) {
            findings.append(.init(severity, kind, role, name, what, advice))
        }
        if !keyspace.hasDurableWrites {
            add(
                .care,
                "durable_writes",
                "durable_writes is false",
                "what a node was told last is lost with its process"
            )
        }
        for datacenter in keyspace.replicas.keys.sorted() where picture.nodes[datacenter] == nil {
            add(
                .care,
                "unknown_datacenter",
                "it has replicas in \(datacenter), which the cluster does not have",
                "ALTER KEYSPACE with the data centers of this cluster: \(picture.nodes.keys.sorted().joined(separator: ", "))"
            )
        }
        if keyspace.strategy == "SimpleStrategy", picture.nodes.count > 1 {
            add(
                .care,
                "simple_strategy",
                "SimpleStrategy in \(picture.nodes.count) data centers places replicas without looking",
                "ALTER KEYSPACE to NetworkTopologyStrategy"
            )
        }
        let local = self.intent.datacenters[role] ?? picture.localDatacenter
        let replicas = keyspace.replicas(in: local)
        guard ["NetworkTopologyStrategy", "SimpleStrategy"].contains(keyspace.strategy) else { return findings }
        guard replicas > 0 else {
            add(
                .blocks,
                "no_local_replica",
                "it has no replica in \(local), where requests are sent",
                "ALTER KEYSPACE, or set \(role.rawValue).local_dc to a data center that has some"
            )
            return findings
        }
        let nodes =
            keyspace.strategy == "SimpleStrategy" ? picture.nodes.values.reduce(0, +) : picture.nodes[local] ?? 0
        let needed = self.replicasNeeded(of: replicas)
        if needed > nodes {
            add(
                .blocks,
                "consistency",
                "\(self.intent.consistency) needs \(needed) of \(replicas) replicas, and \(local) has \(nodes) nodes",
                "add nodes, lower the replication, or another consistency"
            )
        } else if replicas > nodes {
            add(
                .care,
                "replication",
                "it wants \(replicas) replicas, and there are \(nodes) nodes",
                "add nodes, or lower it"
            )
        } else if needed == replicas {
            add(
                .care,
                "no_spare_replica",
                "\(self.intent.consistency) needs each of its replicas (\(replicas))",
                "one node that is away refuses requests; three replicas survive it"
            )
        }
        if role == .target, let own = self.source.keyspaces[name] {
            let there = own.replicas(in: self.intent.datacenters[.source] ?? self.source.localDatacenter)
            if there > replicas {
                add(
                    .care,
                    "fewer_replicas",
                    "\(replicas) replicas, where the source has \(there)",
                    "ALTER KEYSPACE on the target, unless that is meant"
                )
            }
        }
        return findings
    }

    /// Replicas that a consistency needs in the local data center.
    private func replicasNeeded(of replicas: Int) -> Int {
        switch self.intent.consistency {
        case .two: 2
        case .three: 3
        case .quorum, .localQuorum, .eachQuorum: replicas / 2 + 1
        case .all: replicas
        default: 1
        }
    }

    // MARK: Tables

    /// What needs care whatever the target has.
    private func care(_ keyspace: String, _ name: String, _ table: TablePicture) -> [Finding] {
        var findings: [Finding] = []
        func add(_ severity: Finding.Severity, _ kind: String, _ what: String, _ advice: String) {
            findings.append(.init(severity, kind, .source, "\(keyspace).\(name)", what, advice))
        }
        if table.isSuper {
            add(.blocks, "super_columns", "it has super columns, which CQL does not show", "load it from its SSTables")
        } else if table.isCompact {
            add(
                .care,
                "compact_storage",
                "it was made with COMPACT STORAGE",
                "the target's table must have the columns that CQL shows; compare it twice"
            )
        }
        if table.isCounter {
            add(
                .care,
                "counter",
                "it counts: increments have no timestamp by which the newer one wins",
                "load it by itself while nobody counts (counters: add_difference), and compare before each step"
            )
        }
        let lists = table.columns.filter { $0.value.type.hasPrefix("list<") }.keys.sorted()
        if !lists.isEmpty {
            add(
                .care,
                "list",
                "lists that are not frozen: \(lists.joined(separator: ", "))",
                "their elements' places cannot be carried by CQL; do not change them while they are loaded, or load SSTables"
            )
        }
        if table.defaultTimeToLive > 0 {
            add(
                .care,
                "default_ttl",
                "what is written without a TTL lives for \(table.defaultTimeToLive) s",
                "the loader carries what is left of each life; late copies get what is left, too"
            )
        }
        let statics = table.names(.static)
        if !statics.isEmpty {
            add(
                .note,
                "static",
                "static columns: \(statics.joined(separator: ", "))",
                "they are carried once for each partition"
            )
        }
        if !table.triggers.isEmpty {
            add(
                .care,
                "trigger",
                "triggers: \(table.triggers.sorted().joined(separator: ", "))",
                "what they write on the source is not copied; where the target has them, they run again"
            )
        }
        return findings
    }

    private func differences(_ keyspace: String, _ name: String, _ own: TablePicture, _ other: TablePicture)
        -> [Finding]
    {
        var findings: [Finding] = []
        func add(_ severity: Finding.Severity, _ kind: String, _ what: String, _ advice: String) {
            findings.append(.init(severity, kind, .target, "\(keyspace).\(name)", what, advice))
        }
        let keys = (Self.key(own), Self.key(other))
        if keys.0 != keys.1 {
            add(
                .blocks,
                "key_differs",
                "the primary key is \(keys.0) on the source and \(keys.1) on the target",
                "a key cannot be altered: create the table anew"
            )
        }
        for (column, one) in own.columns.sorted(by: { $0.key < $1.key }) {
            guard let there = other.columns[column] else {
                add(
                    .blocks,
                    "missing_column",
                    "the target has no column \(column) (\(one.type))",
                    "ALTER TABLE … ADD \(column) \(one.type)"
                )
                continue
            }
            if one.type != there.type {
                add(
                    .blocks,
                    "type_of_column",
                    "column \(column) is \(one.type) on the source and \(there.type) on the target",
                    "a type cannot be altered: create the table anew, or drop the column"
                )
            } else if one.kind != there.kind, [one.kind, there.kind].contains(.static) {
                add(.blocks, "static_differs", "column \(column) is static on one side alone", "create the table anew")
            }
        }
        for column in Set(other.columns.keys).subtracting(own.columns.keys).sorted() {
            add(
                .care,
                "extra_column",
                "the target alone has column \(column)",
                "the reader does not compare the table until columns.exclude names it"
            )
        }
        if own.defaultTimeToLive != other.defaultTimeToLive {
            add(
                .care,
                "default_ttl_differs",
                "default_time_to_live is \(own.defaultTimeToLive) on the source and \(other.defaultTimeToLive) on the target",
                "ALTER TABLE on the target: writes without a TTL otherwise live for different times"
            )
        }
        if own.graceSeconds != other.graceSeconds {
            add(
                .note,
                "gc_grace_differs",
                "gc_grace_seconds is \(own.graceSeconds) on the source and \(other.graceSeconds) on the target",
                "keep the target's above the time that its copies may be late, or deleted rows come back"
            )
        }
        if own.compaction != other.compaction {
            add(
                .note,
                "compaction",
                "\(own.compaction) on the source, \(other.compaction) on the target",
                "nothing to do, if meant"
            )
        }
        let targets = Set(other.indexes.values.map { $0.options["target"] ?? "" })
        for (index, one) in own.indexes.sorted(by: { $0.key < $1.key })
        where other.indexes[index] == nil && !targets.contains(one.options["target"] ?? "") {
            add(
                .care,
                "missing_index",
                "the target has no index \(index) on \(one.options["target"] ?? "?")",
                "create it after the load: --create-missing"
            )
        }
        return findings
    }

    private static func key(_ table: TablePicture) -> String {
        let clustering = table.names(.clustering).map { name in
            ", \(name)" + (table.columns[name]?.isReversed == true ? " DESC" : "")
        }
        return "((\(table.names(.partitionKey).joined(separator: ", ")))\(clustering.joined()))"
    }
}
