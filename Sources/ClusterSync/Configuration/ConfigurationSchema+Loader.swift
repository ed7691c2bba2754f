extension ConfigurationSchema {
    /// What `cluster-sync sstable-loader` is configured with.
    static let loader = ConfigurationSchema(
        service: "sstable-loader",
        keys: placeKeys + jobKeys + tableKeys + readingKeys + writingKeys + serviceKeys,
        refusals: loaderRefusals
    )

    private typealias Key = ConfigurationKey

    /// From where to where.
    private static let placeKeys: [Key] =
        Key.clusterOfJob("source", hosts: "cassandra_hosts", "30000")
        + [
            Key(
                path: "files.paths",
                kind: .texts,
                fallback: nil,
                help: "Folders with SSTables, instead of a source cluster."
            ),
            Key(
                path: "files.snapshot",
                kind: .text,
                fallback: nil,
                help: "The snapshot of each table to read; without it the table's own files."
            ),
            Key.flag(
                "files.backups",
                false,
                "Whether each table's incremental backups are read: beside its snapshot, else instead of its own files."
            ),
        ] + Key.clusterOfJob("target", hosts: "scylla_hosts", "10000")

    /// The job, and who keeps how far it is.
    private static let jobKeys: [Key] =
        [
            Key(path: "job.name", kind: .text, fallback: "load", help: "The job's name; workers of one name share it."),
            Key(
                path: "job.store",
                kind: .choice(["sqlite", "cluster"]),
                fallback: "sqlite",
                help: "Where it is kept how far the job is: a file, or keyspace cluster_sync of the target."
            ),
            Key(
                path: "job.file",
                kind: .path,
                fallback: nil,
                help: "With job.store: sqlite, the file; without it job.sqlite in state_dir.",
                aliases: ["loader.checkpoint_file"]
            ),
            Key(
                path: "job.worker",
                kind: .text,
                fallback: nil,
                help: "This worker's name among those of the job; without it host and process."
            ),
            Key.flag("job.auto_start", true, "Whether the load begins with the program; else POST /start begins it."),
            Key.flag("job.exit_when_done", true, "Whether the program ends with the load."),
            Key(
                path: "state_dir",
                kind: .path,
                fallback: "cluster-sync-loader",
                help: "The folder of the job's files: progress, dropped indexes, dead letters."
            ),
            Key(
                path: "ceiling",
                kind: .ceiling,
                fallback: "dual_writer",
                help: "Up to which timestamp is loaded: dual_writer, a moment, or none."
            ),
            Key(
                path: "dual_writer.admin",
                kind: .texts,
                fallback: nil,
                help: "The admin ports of all sidecars, which say since when they write to both clusters."
            ),
        ] + Key.reportTLS + [
            Key(
                path: "dual_writer.state_dir",
                kind: .path,
                fallback: nil,
                help: "The state folder of the only sidecar, instead of its admin port."
            ),
            Key.reportToken, Key.reportTokenFile,
            Key(
                path: "clock_skew_ms",
                kind: .integer(0...60_000),
                fallback: "10000",
                help: "How far the clocks of clients, sidecars and this machine may be apart."
            ),
        ]

    /// What of the source is loaded.
    private static let tableKeys: [Key] =
        Key.tablesOfJob(to: "load", "loaded")
        .adding(alias: "loader.tables", to: "tables.include")
        .adding(alias: "filters.table_blacklist", to: "tables.exclude")
        + [Key.columnsOfJob("Columns that the target does not have on purpose, as keyspace.table.column.")]

    /// How it is read.
    private static let readingKeys: [Key] =
        Key.rangesOfJob(lease: "60000", "How long the ranges of a worker that is silent stay its own.")
        + Key.paceOfJob(
            concurrency: "4",
            "one worker loads",
            whose: "of one worker; without it as many as the target takes",
            attempts: "8"
        ).adding(alias: "loader.max_concurrent_loaders", to: "concurrency")
        + Key.pagesOfJob(of: "a source cluster")
        .adding(alias: "loader.page_retry_attempts", to: "retries.pages")
        .adding(alias: "loader.page_retry_backoff_ms", to: "retries.page_pause_ms")
        .adding(alias: "loader.page_size", to: "page_rows")

    /// How it is written.
    private static let writingKeys: [Key] = [
        Key(
            path: "limits.in_flight",
            kind: .integer(1...32_768),
            fallback: "64",
            help: "Requests on their way to the target at a time, at most.",
            aliases: ["loader.insert_concurrency"]
        ),
        Key.limit(
            "in_flight_min",
            1...32_768,
            1,
            "Of these the ones that remain however slow the target becomes: what a load beside a busy application keeps."
        ),
        Key.limit("bytes_in_flight", 65_536...(64 << 30), 64 << 20, "Their bytes."),
        Key(
            path: "batch.statements",
            kind: .integer(1...10_000),
            fallback: "100",
            help: "Statements of one partition that are sent as one batch.",
            aliases: ["loader.insert_batch_size"]
        ),
        Key(path: "batch.bytes", kind: .integer(1_024...(16 << 20)), fallback: "32768", help: "Their bytes."),
        Key(
            path: "retries.max",
            kind: .integer(0...1_000),
            fallback: "7",
            help: "How often a request to the target is sent again.",
            aliases: ["loader.max_retries"]
        ),
        Key.milliseconds("retries.pause_ms", "50", "The pause before the first of them; each further one doubles it."),
        Key.milliseconds("retries.pause_max_ms", "10000", "The longest pause."),
        Key(
            path: "dead_letters.folder",
            kind: .path,
            fallback: nil,
            help: "Where each worker has a file of what cannot be written; without it dead-letters in state_dir."
        ),
        Key(
            path: "dead_letters.file_bytes",
            kind: .integer(1 << 16...(1 << 40)),
            fallback: String(64 << 20),
            help: "The length at which a file is put aside and a new one begun."
        ),
        Key(
            path: "dead_letters.max",
            kind: .integer(0...1_000_000_000),
            fallback: "10000",
            help: "With more of them the load fails: then something is wrong with all of it."
        ),
        Key(
            path: "consistency.write",
            kind: .choice(["one", "local_one", "local_quorum", "quorum", "each_quorum", "all"]),
            fallback: "local_quorum",
            help: "How many replicas of the target must confirm."
        ),
        Key.flag(
            "elements_by_key",
            true,
            "Whether a source cluster that tells the times of elements one by one is asked so, for each row that has some."
        ),
        Key(
            path: "untold_time",
            kind: .choice(["newest_of_row", "ceiling"]),
            fallback: "newest_of_row",
            help: "The time of a column whose time the source cluster does not tell."
        ),
        Key(
            path: "markers",
            kind: .choice(["always", "without_cells"]),
            fallback: "always",
            help: "Which rows of a source cluster get a marker."
        ),
        Key(
            path: "counters",
            kind: .choice(["refuse", "add_difference"]),
            fallback: "refuse",
            help: "What happens to counter tables; the difference is right only while nobody writes them."
        ),
        Key(
            path: "lists",
            kind: .choice(["places", "whole", "refuse"]),
            fallback: "places",
            help: "How lists are written: by places where the target can, as a whole, or not at all."
        ),
        Key.flag("indexes.drop_first", false, "Whether the target's indexes are dropped before the load."),
        Key.flag("indexes.rebuild_after", true, "Whether what was dropped is made again after it."),
        Key(
            path: "indexes.build_timeout_ms",
            kind: .integer(1_000...604_800_000),
            fallback: "3600000",
            help: "How long a load waits until the target has built them."
        ),
    ]

    /// How the program itself behaves.
    private static let serviceKeys: [Key] =
        Key.admin(listen: "127.0.0.1:9092") + [Key.reload]
        + Key.log.map { $0.path == "log.level" ? $0.adding(aliases: ["observability.log_level"]) : $0 }
}
