import CQLClient
import CQLProtocol
import DualReader
import FoundationEssentials
import LiveTables
import Logging
import Testing
import TokenRanges

@testable import ClusterSync

/// What `cluster-sync dual-reader` is configured with.
struct ReaderConfigurationTests: ConfigurationReading {
    static var schema: ConfigurationSchema { .reader }
    static var least: Options { [("source.hosts", "a"), ("target.hosts", "b")] }

    static func configuration(
        _ layers: ConfigurationLayers,
        _ readFile: @escaping (String) -> String?
    ) throws(ConfigurationError) -> ReaderConfiguration {
        try ReaderConfiguration(layers, readFile: readFile)
    }

    @Test func `two clusters are enough`() throws {
        let configuration = try self.read(options: Self.least)
        #expect(configuration.source.cluster.hosts == ["a"] && configuration.target.cluster.hosts == ["b"])
        #expect(configuration.source.cluster.credentials == .configured)
        #expect(configuration.job.store == .sqlite(path: "cluster-sync-reader/job.sqlite"))
        #expect(configuration.peer == nil)
        #expect(configuration.sample == .init(percentage: 100, seed: 0))
        #expect(configuration.reading.rowsPerSecond == nil && configuration.reading.bytesPerSecond == nil)
        #expect(configuration.reading.consistency == .localQuorum)
        #expect(configuration.tables.contains(keyspace: "any", table: "thing"))
    }

    @Test func `nothing at all is not valid, and says what is missing`() {
        #expect(
            self.faults() == [
                "default: source.hosts: is missing: what is compared?",
                "default: target.hosts: is missing: what is compared?",
            ]
        )
    }

    @Test func `every default is a valid value of its key`() throws {
        let defaults = ConfigurationSchema.reader.keys.compactMap { key in
            key.fallback.map { (path: key.path, text: $0) }
        }
        #expect(defaults.count > 35)
        _ = try self.read(options: defaults + Self.least)
    }

    @Test func `every key can be given in the environment`() { self.expectEveryKeyInTheEnvironment() }

    @Test func `the command line beats the environment, which beats the file, which beats the default`() throws {
        let configuration = try self.read(
            options: Self.least + [("settle.reads", "4")],
            environment: ["CLUSTER_SYNC_SETTLE_READS": "2", "CLUSTER_SYNC_CONCURRENCY": "2", "SCYLLA_HOSTS": "no"],
            file: "settle: {reads: 1}\nconcurrency: 1\npage_rows: 1"
        )
        #expect(configuration.settle.reads == 4)
        #expect(configuration.reading.concurrency == 2)
        #expect(configuration.reading.pageRows == 1)
        #expect(configuration.reading.pageBytes == 1 << 20)
        #expect(configuration.target.cluster.hosts == ["b"])
    }

    @Test func `every key changes something of what is read`() throws {
        try self.expectEveryKeyToMatter { path in
            switch path {
            case "job.worker": [("job.store", "cluster")]
            case "peer.url": nil
            case "peer.certificate": [("peer.url", "https://a"), ("peer.key", "k")]
            case "peer.key": [("peer.url", "https://a"), ("peer.certificate", "c")]
            case _ where path.hasPrefix("peer."): [("peer.url", "https://a")]
            case "repair.automatically": [("repair.policy", "source_wins")]
            case "tenants.values": [("tenants.column", "c")]
            default: nil
            }
        } values: { key in
            switch key.path {
            case "peer.url": ["http://a", "http://b"]
            case "dual_writer.admin": ["http://a:1", "http://b:1"]
            case "dual_writer.token_file", "admin.token_file": ["value1", "value2"]
            case "settle.pause_max_ms": ["20000", "30000"]
            case "settle.reads_max": ["20", "30"]
            case "columns.exclude": ["ks.t.a", "ks.t.b"]
            default: nil
            }
        }
    }

    @Test(arguments: [
        ("cuncurrency: 3", "c.yaml:1: unknown key 'cuncurrency'; did you mean 'concurrency'?"),
        ("concurrency: 0", "c.yaml:1: concurrency: '0' is not a whole number from 1 to 1024"),
        (
            "sampling: {percentage: 0}",
            "c.yaml:1: sampling.percentage: 0 compares nothing, and would say that all is in sync"
        ),
        ("sampling: {percentage: 101}", "c.yaml:1: sampling.percentage: '101' is not a number from 0 to 100"),
        ("sampling: {seed: -1}", "c.yaml:1: sampling.seed: '-1' is not a whole number from 0 to \(Int.max)"),
        ("settle: {reads: 11}", "default: settle.reads_max: is less than settle.reads (11)"),
        ("settle: {wait_ms: 60000}", "default: settle.pause_max_ms: is less than settle.wait_ms (60000)"),
        (
            "tolerances: {ttl_second: 5}",
            "c.yaml:1: unknown key 'tolerances.ttl_second'; did you mean 'tolerances.ttl_seconds'?"
        ),
        (
            "consistency: {read: each_quorum}",
            "c.yaml:1: consistency.read: 'each_quorum' is not one of local_one, local_quorum"
        ),
        (
            "keyspaces: {exclude: [a.b]}",
            "c.yaml:1: keyspaces.exclude: 'a.b' names no keyspace; tables are in tables.exclude"
        ),
        (
            "job: {store: cluster, file: a.db}", "c.yaml:1: job.file: needs job.store: sqlite"
        ),
        ("job: {worker: a}", "c.yaml:1: job.worker: needs job.store: cluster; else there is one alone"),
        ("peer: {url: reader.far}", "c.yaml:1: peer.url: 'reader.far' is no address such as https://reader.far:9091"),
        ("peer: {token: a}", "c.yaml:1: peer.token: stands without peer.url: nobody is asked"),
        ("peer: {cluster: both}", "c.yaml:1: peer.cluster: 'both' is not one of target, source"),
        (
            "peer: {url: 'http://a', ca: b}",
            "c.yaml:1: peer.ca: stands beside an address without TLS; let peer.url begin with https://"
        ),
        ("peer: {url: 'https://a', key: b}", "c.yaml:1: peer.key: needs peer.certificate beside it"),
        (
            "repair: {automatically: true}",
            "c.yaml:1: repair.automatically: needs a repair.policy other than manual: who is right?"
        ),
        (
            "repair: {policy: target_wins}",
            "c.yaml:1: repair.policy: 'target_wins' is not one of source_wins, newest_wins, manual"
        ),
        ("tenants: {values: [a]}", "c.yaml:1: tenants.values: needs tenants.column: which column has them?"),
        (
            "dual_writer: {admin: [127.0.0.1]}",
            "c.yaml:1: dual_writer.admin: '127.0.0.1' is no address such as http://127.0.0.1:8080"
        ),
        (
            "columns: {exclude: [ks.t]}",
            "c.yaml:1: columns.exclude: 'ks.t' names no column; write keyspace.table.column, as in the schema"
        ),
        ("target: {username: u}", "c.yaml:1: target.username: needs target.password or target.password_file beside it"),
    ])
    func `a wrong value is one fault that says what is right`(file: String, fault: String) {
        #expect(self.faults(options: Self.least, file: file) == [fault])
    }

    @Test func `a job's name is as long as names of files that are made of it may be`() throws {
        let longest = String(repeating: "n", count: 100)
        #expect(try self.read(options: Self.least + [("job.name", longest)]).job.name == longest)
        #expect(
            self.faults(options: Self.least + [("job.name", longest + "n")])
                == ["--set job.name: job.name: is longer than 100 bytes; names of files are made of it"]
        )
    }

    @Test func `many tables have a job of their own whose name fits into a file's`() {
        func name(_ tables: Int) -> String {
            ReaderConfiguration.name(
                of: Set((0..<tables).map { .table(.init(keyspace: "ks", table: "a_table_with_a_long_name_\($0)")) })
            )
        }
        #expect(name(1) == "ks.a_table_with_a_long_name_0")
        #expect(name(3).split(separator: "+").count == 3)
        let names = (4...40).map(name)
        #expect(names.allSatisfy { $0.utf8.count <= 100 } && Set(names).count == names.count)
        #expect(name(20) == name(20))
    }

    @Test func `a cluster is not compared with itself`() {
        #expect(
            self.faults(options: [("source.hosts", "a"), ("target.hosts", "b,a:9042")])
                == [
                    "--set target.hosts: target.hosts: has a:9042, which is the source: a cluster is always equal to itself"
                ]
        )
    }

    @Test func `a secret is never printed`() throws {
        let configuration = try self.read(
            options: Self.least + [("target.username", "u"), ("target.password", "hush")]
        )
        #expect(configuration.target.cluster.password?.text == "hush")
        #expect(!"\(configuration)".contains("hush") && !String(reflecting: configuration).contains("hush"))
    }

    @Test func `the documented file is valid and shows every key with its default`() throws {
        let path = "\(ConfigurationTests.root)/config/dual-reader.yaml"
        let file = ConfigurationFile(path: path, schema: .reader)
        #expect(file.faults == [])
        let layers = ConfigurationLayers(schema: .reader, options: [], environment: [:], file: file)
        _ = try ReaderConfiguration(layers) { _ in nil }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for key in ConfigurationSchema.reader.keys {
            let leaf = key.path.split(separator: ".").last.map(String.init) ?? key.path
            #expect(text.contains("\(leaf):"), "\(key.path) is not explained")
            guard let fallback = key.fallback else { continue }
            #expect(file.values[key.path]?.text == fallback, "\(key.path) is not shown with its default")
        }
        // What is commented out is valid as well.
        let uncommented = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isKey = line.contains(#/^ *# +?[a-z_]+:( [^ ].*)?$/#) && !line.hasSuffix(".")
            return isKey ? line.replacing("# ", with: "", maxReplacements: 1) : line
        }.joined(separator: "\n")
        let commented = ConfigurationFile(name: "c", schema: .reader, text: uncommented)
        #expect(commented.faults.map(\.description) == [])
        #expect(commented.values.count > file.values.count + 10)
    }

    @Test func `everything that is configured reaches the engine`() async throws {
        let configuration = try self.read(
            options: Self.least + [
                ("state_dir", "/s"), ("sampling.percentage", "12.5"), ("sampling.seed", "7"), ("settle.wait_ms", "3"),
                ("settle.pause_max_ms", "4"), ("settle.reads", "5"), ("settle.reads_max", "6"), ("settle.tries", "8"),
                ("tolerances.ttl_seconds", "9"), ("tolerances.writetime_us", "11"), ("compare.writetimes", "false"),
                ("compare.ttls", "false"), ("compare.list_times", "true"), ("findings.samples", "12"),
                ("concurrency", "13"), ("limits.rows_per_second", "14"), ("limits.bytes_per_second", "2048"),
                ("retries.ranges", "15"), ("consistency.read", "local_one"), ("tables.exclude", "ks.t"),
                ("columns.exclude", "shop.t.a,shop.t.b"),
                ("source.request_timeout_ms", "16"), ("target.request_timeout_ms", "17"),
            ]
        )
        let secrets = SecretReloader(interval: .seconds(5), logger: .init(label: "test"))
        let settings = try await configuration.settings(
            only: [.keyspace("shop"), .table(.init(keyspace: "crm", table: "users"))],
            secrets: secrets
        )
        #expect(settings.job == "compare.crm.users+shop")
        #expect(settings.store == .sqlite(path: "/s/job.sqlite") && settings.folder == "/s/findings")
        #expect(settings.sampling.percentage == 12.5 && settings.sampling.seed == 7)
        #expect(settings.settling.settle == .milliseconds(3) && settings.settling.pauseMax == .milliseconds(4))
        #expect(settings.settling.readsMin == 5 && settings.settling.readsMax == 6 && settings.settling.triesMax == 8)
        #expect(settings.rules.timeToLiveToleranceSeconds == 9 && settings.rules.writetimeToleranceMicroseconds == 11)
        #expect(!settings.rules.comparesWritetimes && !settings.rules.comparesTimeToLive)
        #expect(settings.rules.comparesListTimes && settings.samplesPerClassMax == 12)
        #expect(settings.runner.concurrency == 13 && settings.runner.attemptsMax == 15)
        #expect(settings.rates.rowsPerSecond == 14 && settings.rates.bytesPerSecond == 2_048)
        #expect(settings.reading.consistency == .localOne)
        #expect(settings.sourceSession.requestMilliseconds == 16)
        #expect(settings.targetSession.requestMilliseconds == 17)
        #expect(!settings.tables.wants(.init(keyspace: "ks", table: "t")))
        #expect(settings.leavingOut == [.init(keyspace: "shop", table: "t"): ["a", "b"]])
        #expect(settings.repair.policy == .manual)
    }
}
