extension ConfigurationSchema {
    /// What `cluster-sync dual-reader` is configured with.
    static let reader = ConfigurationSchema(
        service: "dual-reader",
        keys: comparedKeys + comparingKeys + readingKeys + peerKeys + repairKeys + readerServiceKeys
            + [ConfigurationKey.reload] + ConfigurationKey.log,
        refusals: readerRefusals
    )

    private typealias Key = ConfigurationKey

    /// What is compared, and where it is kept how far a comparison is.
    private static let comparedKeys: [Key] =
        Key.clusterOfJob("source", hosts: "cassandra_hosts", "30000")
        + Key.clusterOfJob("target", hosts: "scylla_hosts", "30000")
        + Key.tablesOfJob(to: "compare", "compared")
        + [
            Key.columnsOfJob(
                "Columns that are not compared, as keyspace.table.column; one cluster alone may have them."
            ),
            Key(
                path: "tenants.column",
                kind: .text,
                fallback: nil,
                help: "The column that says whose a row is, named as in the schema.",
                aliases: ["reader.filter.system_domain_id_column"]
            ),
            Key(
                path: "tenants.values",
                kind: .texts,
                fallback: nil,
                help: "Of tables that have the column, rows with these values alone are compared; without it all.",
                aliases: ["reader.filter.compare_system_domain_ids"]
            ),
            Key(path: "job.name", kind: .text, fallback: "compare", help: "The comparison's name, in files and logs."),
            Key(
                path: "job.store",
                kind: .choice(["sqlite", "cluster"]),
                fallback: "sqlite",
                help:
                    "Where it is kept how far it is: a file, or keyspace cluster_sync of the target, for several workers."
            ),
            Key(
                path: "job.file",
                kind: .path,
                fallback: nil,
                help: "With job.store: sqlite, the file; without it job.sqlite in state_dir."
            ),
            Key(
                path: "job.worker",
                kind: .text,
                fallback: nil,
                help: "With job.store: cluster, this worker's name; without it host and process."
            ),
            Key(
                path: "state_dir",
                kind: .path,
                fallback: "cluster-sync-reader",
                help: "The folder of the job's files: progress and findings."
            ),
        ]

    /// How much is compared, and what counts as a difference.
    private static let comparingKeys: [Key] = [
        Key(
            path: "sampling.percentage",
            kind: .percentage,
            fallback: "100",
            help: "The share of the partitions that is compared, by their tokens."
        ),
        Key(
            path: "sampling.seed",
            kind: .integer(0...Int.max),
            fallback: "0",
            help: "Another seed samples other partitions."
        ),
        Key.milliseconds("settle.wait_ms", "2000", "How long after it was found a difference is read again."),
        Key.milliseconds("settle.pause_max_ms", "30000", "The longest pause between two readings; each doubles it."),
        Key(
            path: "settle.reads",
            kind: .integer(1...100),
            fallback: "3",
            help: "How often a row is read again; what differs each time in the same way counts."
        ),
        Key(
            path: "settle.reads_max",
            kind: .integer(1...1_000),
            fallback: "10",
            help: "How often a row is read again that differs in another way each time; then it is undecided."
        ),
        Key(
            path: "settle.tries",
            kind: .integer(1...100),
            fallback: "4",
            help: "How often one such reading is tried before the row is undecided."
        ),
        Key(
            path: "settle.owed_max_ms",
            kind: .integer(1...86_400_000),
            fallback: "600000",
            help: "How long a row may be owed by the dual writer before it is undecided."
        ),
        Key(
            path: "tolerances.ttl_seconds",
            kind: .integer(0...86_400),
            fallback: "10",
            help: "Seconds by which the ends of two lives may differ."
        ),
        Key(
            path: "tolerances.writetime_us",
            kind: .integer(0...1_000_000_000_000),
            fallback: "0",
            help: "Microseconds by which two writetimes may differ."
        ),
        Key.flag("compare.writetimes", true, "Whether writetimes are compared."),
        Key.flag("compare.ttls", true, "Whether the ends of lives are compared."),
        Key.flag(
            "compare.list_times",
            false,
            "Whether the times of a list's elements are compared where they are told."
        ),
        Key(
            path: "findings.samples",
            kind: .integer(0...10_000),
            fallback: "20",
            help: "Differences of each class and table that are shown; all are counted."
        ),
    ]

    /// How it is read.
    private static let readingKeys: [Key] =
        Key.rangesOfJob(
            lease: "15000",
            "How long the ranges of a comparison that was killed wait until the next start takes them."
        )
        + Key.paceOfJob(
            concurrency: "8",
            "are compared",
            whose: "that are read from each cluster; without it no limit",
            attempts: "30"
        ) + Key.pagesOfJob(of: "each cluster")

    /// Keys of the other services' files that mean nothing here.
    private static let readerRefusals: [Refusal] =
        ["source", "target"].map { cluster in
            Refusal(
                path: "\(cluster).credentials",
                advice: "there are no applications; it logs in as \(cluster).username; leave it out"
            )
        }
        + [
            Refusal(path: "ceiling", advice: "everything is compared, whenever it was written; leave it out"),
            Refusal(path: "loader", advice: "it is of sstable-loader's file; leave it out"),
            Refusal(path: "write_mode", advice: "it is of dual-writer's file; leave it out"),
        ]
}
