import CQLProtocol
import Testing

@testable import ClusterSync

/// What of older files is taken, what is refused, and what is wrong.
struct LoaderConfigurationFaultTests: LoaderConfigurationReading {
    /// A file that gives `path` the value `text`.
    private static func file(_ path: String, _ text: String) -> String {
        let parts = path.split(separator: ".")
        let lines = parts.enumerated().map { index, part in String(repeating: "  ", count: index) + "\(part):" }
        return lines.joined(separator: "\n") + " " + text
    }

    /// The names of older files, with what they mean.
    static let aliases = [
        ("cassandra_hosts", "source.hosts", "x"), ("scylla_hosts", "target.hosts", "x"),
        ("source.pool_size", "source.connections_per_node", "7"),
        ("target.pool_size", "target.connections_per_node", "7"), ("loader.checkpoint_file", "job.file", "/f"),
        ("loader.tables", "tables.include", "[ks.t]"), ("filters.table_blacklist", "tables.exclude", "[ks.t]"),
        ("loader.max_concurrent_loaders", "concurrency", "32"), ("loader.insert_concurrency", "limits.in_flight", "32"),
        ("loader.insert_batch_size", "batch.statements", "50"), ("loader.max_retries", "retries.max", "3"),
        ("loader.page_retry_attempts", "retries.pages", "3"),
        ("loader.page_retry_backoff_ms", "retries.page_pause_ms", "500"),
        ("loader.page_size", "page_rows", "1000"),
        ("observability.log_level", "log.level", "debug"),
    ]

    @Test(arguments: Self.aliases)
    func `a name of older files means the same`(alias: String, path: String, text: String) throws {
        let older = ConfigurationFile(name: "c", schema: .loader, text: Self.file(alias, text))
        let own = ConfigurationFile(name: "c", schema: .loader, text: Self.file(path, text))
        #expect(older.faults == [] && own.faults == [])
        let value = try #require(older.values[path]?.text)
        #expect(value == own.values[path]?.text)
        _ = try self.read(options: Self.least.filter { $0.path != path }, file: Self.file(alias, text))
    }

    @Test func `every alias is tested`() {
        let aliases = ConfigurationSchema.loader.keys.flatMap(\.aliases)
        #expect(Set(aliases) == Set(Self.aliases.map(\.0)) && aliases.count == Self.aliases.count)
    }

    @Test func `two names of one key are a fault`() {
        #expect(
            self.faults(options: Self.least, file: "concurrency: 2\nloader:\n  max_concurrent_loaders: 3")
                == ["c.yaml:3: loader.max_concurrent_loaders was already given in line 1"]
        )
    }

    /// What is refused, with a word of what to do instead.
    static let refused = [
        ("source.credentials", "source.username"), ("target.credentials", "target.username"),
        ("source.keyspace", "keyspaces.include"), ("target.keyspace", "keyspaces.include"),
        ("source.speculative_execution", "retries.max"), ("target.speculative_execution", "retries.max"),
        ("source.speculative_delay_ms", "retries.max"), ("target.speculative_delay_ms", "retries.max"),
        ("loader.num_ranges_per_core", "job.range_bytes"), ("loader.batch_size", "batch.statements"),
        ("loader.checkpoint_interval_secs", "leave it out"), ("loader.prefetch_rows", "page_bytes"),
        ("loader.compression", "source.compression"), ("loader.max_throughput_mbps", "limits.bytes_per_second"),
        ("loader.retry_delay_secs", "retries.pause_ms"), ("loader.skip_on_error", "dead_letters.folder"),
        ("loader.failed_rows_file", "dead_letters.folder"),
        ("loader.enable_pagination", "leave it out"), ("observability.metrics_port", "admin.listen"),
        ("observability.jaeger_endpoint", "leave it out"), ("filters.tenant_blacklist", "tables.exclude"),
        ("filters.tenant_id_columns", "tables.exclude"), ("filters.reload_interval_secs", "leave it out"),
        ("writer", "dual-writer"), ("reader", "leave it out"), ("write_mode", "dual-writer"),
        ("journal", "dual-writer"), ("listen", "admin.listen"),
    ]

    @Test(arguments: Self.refused)
    func `a key that means nothing here is refused with what to do instead`(path: String, advice: String) throws {
        let faults = self.faults(options: Self.least, file: Self.file(path, "x"))
        let fault = try #require(faults.first)
        #expect(faults.count == 1)
        let line = path.split(separator: ".").count
        #expect(fault.hasPrefix("c.yaml:\(line): \(path) has no meaning for sstable-loader: "))
        #expect(fault.contains(advice))
    }

    @Test func `every refusal is tested, names no key, and advises keys that there are`() {
        let schema = ConfigurationSchema.loader
        #expect(schema.refusals.map(\.path).sorted() == Self.refused.map(\.0).sorted())
        for (path, advice) in Self.refused {
            #expect(schema.key(named: path) == nil, "\(path)")
            #expect(!advice.contains("_") || schema.key(named: advice) != nil, "\(advice)")
        }
    }

    @Test(arguments: ["writer: {mode: x, batch_size: 1}", "journal:\n  dir: x"])
    func `a section that means nothing here is one fault`(file: String) {
        #expect(self.faults(options: Self.least, file: file).count == 1)
    }

    @Test func `older files name tables by mappings, whose keys are in the schema anyway`() throws {
        let file = "loader:\n  tables:\n    - name: files.meta\n    - other.*\n"
        let configuration = try self.read(options: Self.least, file: file)
        #expect(configuration.tables.contains(keyspace: "files", table: "meta"))
        #expect(configuration.tables.contains(keyspace: "other", table: "x"))
        #expect(!configuration.tables.contains(keyspace: "files", table: "x"))
        let keyed = "loader:\n  tables:\n    - name: files.meta\n      partition_key: [id]\n      nam: x\n"
        #expect(
            self.faults(options: Self.least, file: keyed) == [
                "c.yaml:4: tables.include: partition_key has no meaning here: it is read from the schema; leave it out",
                "c.yaml:5: tables.include: unknown key 'nam'; did you mean 'name'?",
            ]
        )
    }

    @Test(arguments: [
        ("cieling: none", "c.yaml:1: unknown key 'cieling'; did you mean 'ceiling'?"),
        ("loader: {max_retry: 1}", "c.yaml:1: unknown key 'loader.max_retry'; did you mean 'loader.max_retries'?"),
        (
            "keyspaces: [shop]",
            "c.yaml:1: keyspaces has no value itself, only keys below it: keyspaces.include, keyspaces.exclude"
        ),
        ("concurrency: 0", "c.yaml:1: concurrency: '0' is not a whole number from 1 to 1024"),
        (
            "limits: {rows_per_second: fast}",
            "c.yaml:1: limits.rows_per_second: 'fast' is not a whole number from 1 to 1000000000"
        ),
        ("lists: keep", "c.yaml:1: lists: 'keep' is not one of places, whole, refuse"),
        (
            "tables: {exclude: ['\"a.b\".t']}",
            "c.yaml:1: tables.exclude: '\"a.b\".t' has a dot, * or ? in a quoted name: not possible yet"
        ),
        ("job: {auto_start: yes please}", "c.yaml:1: job.auto_start: 'yes please' is not one of true, false"),
        ("job: {store: cluster, file: /f}", "c.yaml:1: job.file: needs job.store: sqlite"),
        ("files: {paths: [/a]}", "c.yaml:1: files.paths: stands beside source.hosts; give one of the two"),
        (
            "limits: {in_flight: 8, in_flight_min: 9}",
            "c.yaml:1: limits.in_flight_min: is more than limits.in_flight (8)"
        ),
        ("limits: {in_flight_min: 0}", "c.yaml:1: limits.in_flight_min: '0' is not a whole number from 1 to 32768"),
        (
            "columns: {exclude: [shop.orders]}",
            "c.yaml:1: columns.exclude: 'shop.orders' names no column; write keyspace.table.column, as in the schema"
        ),
        ("files: {snapshot: s}", "c.yaml:1: files.snapshot: needs files.paths beside it"),
        ("files: {backups: true}", "c.yaml:1: files.backups: needs files.paths beside it"),
        ("files: {paths: ['/a,b']}", "c.yaml:1: files.paths: '/a,b' holds a comma"),
        ("files: {paths: [[/a]]}", "c.yaml:1: files.paths: every entry must be a text"),
        ("untold_time: ceiling", "c.yaml:1: untold_time: ceiling needs one; ceiling is none"),
        ("retries: {pause_ms: 20000}", "default: retries.pause_max_ms: is less than retries.pause_ms (20000)"),
        (
            "dual_writer: {admin: [localhost]}",
            "c.yaml:1: dual_writer.admin: 'localhost' is no address such as http://127.0.0.1:8080"
        ),
        (
            "dual_writer: {admin: ['http://a'], state_dir: s}",
            "c.yaml:1: dual_writer.state_dir: stands beside dual_writer.admin; give one of the two"
        ),
        (
            "tables: {include: [a.b.c]}",
            "c.yaml:1: tables.include: 'a.b.c' names no tables; write keyspace, keyspace.* or keyspace.table, with * and ?"
        ),
        (
            "keyspaces: {exclude: [a.b]}",
            "c.yaml:1: keyspaces.exclude: 'a.b' names no keyspace; tables are in tables.exclude"
        ),
        ("target: {username: u}", "c.yaml:1: target.username: needs target.password or target.password_file beside it"),
        ("source: {tls: {ca: /x}}", "c.yaml:1: source.tls.ca: needs source.tls.enabled: true beside it"),
    ])
    func `a wrong value is one fault that says what is right`(file: String, fault: String) {
        #expect(self.faults(options: Self.least, file: file) == [fault])
    }

    @Test func `counters of files cannot be compared`() {
        let options: Options = [("files.paths", "/a"), ("target.hosts", "b"), ("ceiling", "none")]
        #expect(
            self.faults(options: options, file: "counters: add_difference")
                == ["c.yaml:1: counters: add_difference needs a source cluster, whose counters can be read"]
        )
    }

    @Test(arguments: [
        ("dual_writer", LoaderCeiling.dualWriter), ("NONE", LoaderCeiling.none),
        ("1700000000000001", .at(1_700_000_000_000_001)), ("1_700_000_000_000_001", .at(1_700_000_000_000_001)),
        ("2023-11-14T22:13:20Z", .at(1_700_000_000_000_000)),
        ("2023-11-14T22:13:20.5Z", .at(1_700_000_000_500_000)),
        ("2023-11-14T22:13:20.000001Z", .at(1_700_000_000_000_001)),
        ("2023-11-14T23:13:20.123+01:00", .at(1_700_000_000_123_000)),
        ("2023-11-14T17:13:20-05:00", .at(1_700_000_000_000_000)),
    ])
    func `a ceiling is the dual writer's, a moment, or none`(text: String, ceiling: LoaderCeiling) {
        #expect(LoaderCeiling(text) == ceiling)
    }

    @Test(arguments: [
        "", "now", "1700000000", "1700000000000", "1700000000000000000", "-1", "2023-11-14", "2023-11-14T22:13:20",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20.1234567Z", "2023-13-14T22:13:20Z", "1999-01-01T00:00:00Z",
    ])
    func `a ceiling in another unit, without a zone, or that is no moment is refused`(text: String) {
        #expect(LoaderCeiling(text) == nil)
    }

    @Test func `a ceiling that is no moment says what one is`() {
        #expect(
            self.faults(options: Self.least.dropLast() + [("dual_writer.state_dir", "s"), ("ceiling", "1700000000")])
                == ["--set ceiling: ceiling: '1700000000' is not \(LoaderCeiling.expected)"]
        )
    }

    @Test func `a wrong ceiling is one fault, whatever its default needs beside it`() {
        #expect(
            self.faults(options: Self.least.dropLast(), file: "ceiling: maybe\nuntold_time: ceiling")
                == ["c.yaml:1: ceiling: 'maybe' is not \(LoaderCeiling.expected)"]
        )
    }

    @Test func `what a file that is no YAML would have said is no fault of its own`() {
        let faults = self.faults(file: "source: {hosts: [a]")
        #expect(faults.count == 1 && faults[0].hasPrefix("c.yaml:"), "\(faults)")
    }

    @Test(arguments: [
        ("shop", ["shop.orders", "shop.users"]), ("shop.*", ["shop.orders", "shop.users"]),
        ("SHOP.Orders", ["shop.orders"]), ("sh?p.*s", ["shop.orders", "shop.users"]), ("*.users", ["shop.users"]),
        ("s*p.o*d*", ["shop.orders"]), ("shop.order", []), ("\"Crm\".\"My*Table\"", ["Crm.My*Table"]),
        ("\"crm\".*", []), ("*", ["shop.orders", "shop.users", "Crm.My*Table"]), ("shop.?????", ["shop.users"]),
    ])
    func `a pattern stands for tables`(pattern: String, expected: [String]) throws {
        let tables = TablePatterns(include: [try #require(TablePatterns.Pattern(pattern))], exclude: [])
        let all = [("shop", "orders"), ("shop", "users"), ("Crm", "My*Table")]
        #expect(all.filter { tables.contains(keyspace: $0.0, table: $0.1) }.map { "\($0.0).\($0.1)" } == expected)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a.b.c", "a b", "\"a", "\"\"", "a-b", "a.\"b\"c"])
    func `a text that stands for no tables is refused`(text: String) {
        #expect(TablePatterns.Pattern(text) == nil)
    }

    @Test func `lists of tables and of keyspaces add up, and what is excluded is out`() throws {
        let configuration = try self.read(
            options: Self.least,
            file: """
                tables: {include: [shop.orders], exclude: ["*.secret"]}
                keyspaces: {include: [crm_*], exclude: crm_test}
                """
        )
        let tables = configuration.tables
        #expect(tables.contains(keyspace: "shop", table: "orders"))
        #expect(!tables.contains(keyspace: "shop", table: "users"))
        #expect(tables.contains(keyspace: "crm_eu", table: "people"))
        #expect(!tables.contains(keyspace: "crm_eu", table: "secret"))
        #expect(!tables.contains(keyspace: "crm_test", table: "people"))
    }
}
