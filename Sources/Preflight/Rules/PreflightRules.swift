import CQLClient
public import CQLProtocol

/// Judges two clusters. Pure: what was seen of both is passed in.
public struct PreflightRules: Sendable {
    /// What the migration is to be like.
    public struct Intent: Sendable {
        /// Whether a table is to be on both clusters.
        public var wants: @Sendable (_ keyspace: String, _ table: String) -> Bool
        /// The consistency at which applications and jobs read and write.
        public var consistency = Consistency.localQuorum
        /// The data centers that are configured; those of the nodes that answer where they are nil.
        public var datacenters: [ClusterRole: String] = [:]
        /// The drivers that are configured for ScyllaDB.
        public var scyllaDrivers: Set<ClusterRole> = []

        /// An intent.
        public init(wants: @escaping @Sendable (_ keyspace: String, _ table: String) -> Bool) { self.wants = wants }
    }

    let source: ClusterPicture
    let target: ClusterPicture
    let intent: Intent

    /// Rules for two clusters.
    public init(source: ClusterPicture, target: ClusterPicture, intent: Intent) {
        self.source = source
        self.target = target
        self.intent = intent
    }

    /// How far apart clocks may be before somebody should know, in milliseconds.
    static var skewOfCare: Int64 { 1_000 }
    /// What the loader allows for between clocks, in milliseconds: beyond it writes may be lost.
    static var skewMax: Int64 { 10_000 }

    func picture(_ role: ClusterRole) -> ClusterPicture { role == .source ? self.source : self.target }

    /// Keyspaces of the source of which at least one table is wanted, by name, with these tables.
    var wanted: [(name: String, keyspace: KeyspacePicture, tables: [String])] {
        self.source.keyspaces.sorted { $0.key < $1.key }.compactMap { name, keyspace in
            let tables = keyspace.tables.keys.filter { self.intent.wants(name, $0) }.sorted()
            return tables.isEmpty ? nil : (name, keyspace, tables)
        }
    }

    /// Everything that was found, what blocks first.
    public func findings() -> [Finding] {
        var findings = self.clusters()
        for role in ClusterRole.allCases { findings += self.cluster(role) + self.access(role) }
        let wanted = self.wanted
        if wanted.isEmpty {
            findings.append(
                .init(
                    .blocks,
                    "nothing_wanted",
                    .source,
                    nil,
                    "no table of the source is wanted",
                    "look at tables.include and tables.exclude, and whether this is the right cluster"
                )
            )
        }
        for one in wanted { findings += self.keyspace(one.name, one.keyspace, one.tables) }
        findings.append(
            .init(
                .note,
                "lwt_unseen",
                nil,
                nil,
                "no schema tells whether applications use conditional statements (IF …)",
                "they are seen live: from DualWriteAsync on `cluster-sync journal dirty` lists the partitions that they leave in "
                    + "doubt, as conditional; compare these before the next step"
            )
        )
        return findings.enumerated().sorted { ($0.element.severity, $0.offset) < ($1.element.severity, $1.offset) }
            .map(\.element)
    }

    // MARK: Clusters

    private func clusters() -> [Finding] {
        var findings: [Finding] = []
        if !self.source.hosts.isDisjoint(with: self.target.hosts) {
            findings.append(
                .init(
                    .blocks,
                    "same_cluster",
                    nil,
                    nil,
                    "source and target have nodes in common: they are one cluster",
                    "set source.hosts and target.hosts to two clusters"
                )
            )
        }
        if let one = self.source.clock, let other = self.target.clock {
            // Each is known up to its own uncertainty; what lies between both is certain.
            let apart = max(one.aheadMin - other.aheadMax, other.aheadMin - one.aheadMax, 0)
            if apart > Self.skewOfCare {
                findings.append(
                    .init(
                        apart > Self.skewMax ? .blocks : .care,
                        "clock_skew",
                        nil,
                        nil,
                        "the clusters' clocks are at least \(apart) ms apart",
                        "let all nodes follow one time source (NTP, chrony): the newer timestamp wins, whoever is right"
                    )
                )
            }
        }
        return findings
    }

    private func cluster(_ role: ClusterRole) -> [Finding] {
        let picture = self.picture(role)
        var findings: [Finding] = []
        func add(_ severity: Finding.Severity, _ kind: String, _ what: String, _ advice: String) {
            findings.append(.init(severity, kind, role, nil, what, advice))
        }
        let server = picture.isScylla ? "ScyllaDB (like Cassandra \(picture.release))" : "Cassandra \(picture.release)"
        let nodes = picture.nodes.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        add(.note, "server", "\(picture.name) is \(server), nodes by data center: \(nodes)", "nothing to do")
        if picture.partitioner != Murmur3Partitioner.className {
            add(
                .blocks,
                "partitioner",
                "the partitioner is \(picture.partitioner)",
                "the loader from a live cluster and the reader need Murmur3Partitioner; load from SSTables, and compare otherwise"
            )
        }
        if picture.releases.count > 1 {
            add(
                .care,
                "mixed_releases",
                "its nodes have several releases: \(picture.releases.sorted().joined(separator: ", "))",
                "finish the upgrade first: a schema cannot be changed safely meanwhile"
            )
        }
        if picture.schemaVersions.count > 1 {
            add(
                .blocks,
                "schema_disagreement",
                "its nodes have \(picture.schemaVersions.count) versions of the schema",
                "wait until they agree; look at nodetool describecluster"
            )
        }
        if picture.isScylla != self.intent.scyllaDrivers.contains(role) {
            let right = picture.isScylla ? "scylla" : "cassandra"
            add(
                .care,
                "driver",
                "\(role.rawValue).driver is \(picture.isScylla ? "cassandra" : "scylla")",
                "set it to \(right)" + (picture.isScylla ? ": requests then go to the right shard" : "")
            )
        }
        guard let clock = picture.clock else {
            add(.care, "clock_unknown", "it does not tell its time", "see to it that its clocks follow a time source")
            return findings
        }
        let relation = clock.ahead < 0 ? "behind" : "ahead of"
        let reading = "its clock is \(abs(clock.ahead)) ms \(relation) this machine's, ± \(clock.uncertainty) ms"
        let advice = "let the nodes and the sidecars' machines follow one time source: sidecars stamp all writes"
        switch clock.apartMin {
        case ...Self.skewOfCare:
            add(.note, "clock", reading, "nothing to do; it is the clock of the node that answered")
        case ...Self.skewMax: add(.care, "clock_skew", reading, advice)
        default: add(.blocks, "clock_skew", reading, advice)
        }
        return findings
    }

    // MARK: Access

    private func access(_ role: ClusterRole) -> [Finding] {
        let access = self.picture(role).access
        guard let name = access.role else { return [] }
        var findings: [Finding] = []
        if access.isSuperuser == true {
            findings.append(
                .init(
                    .care,
                    "superuser",
                    role,
                    nil,
                    "the configured role \(name) is a superuser",
                    "give the sidecar and the jobs a role of their own: with SELECT, MODIFY, and CREATE for cluster_sync"
                )
            )
        }
        guard access.permissions != nil || access.isOpen || access.isSuperuser == true else {
            findings.append(
                .init(
                    .care,
                    "permissions_unknown",
                    role,
                    nil,
                    "what the role \(name) may do is not told",
                    "see to it that it may SELECT and MODIFY all tables that are moved"
                )
            )
            return findings
        }
        let needed = role == .source ? ["SELECT"] : ["SELECT", "MODIFY"]
        for permission in needed {
            var lacking: [String] = []
            for one in self.wanted {
                for table in one.tables where access.may(permission, keyspace: one.name, table: table) == false {
                    lacking.append("\(one.name).\(table)")
                }
            }
            guard let first = lacking.first else { continue }
            let others = lacking.count > 1 ? " and \(lacking.count - 1) other tables" : ""
            findings.append(
                .init(
                    .blocks,
                    "permission",
                    role,
                    first,
                    "the role \(name) may not \(permission) \(first)\(others)",
                    "GRANT \(permission) ON KEYSPACE … TO \(name)"
                )
            )
        }
        if !access.hasOwnKeyspace, access.may("CREATE", keyspace: "cluster_sync") == false {
            findings.append(
                .init(
                    .care,
                    "own_keyspace",
                    role,
                    nil,
                    "the role \(name) may not create keyspace cluster_sync",
                    "create it for the role, or keep to what needs none: state folders, and job.store: sqlite"
                )
            )
        }
        return findings
    }
}
