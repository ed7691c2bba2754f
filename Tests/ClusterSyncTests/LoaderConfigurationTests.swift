import CQLClient
import CQLProtocol
import FoundationEssentials
import Logging
import SSTableLoader
import Testing
import TokenRanges

@testable import ClusterSync

/// Reads a loader's configuration from its layers.
protocol LoaderConfigurationReading: ConfigurationReading where Configuration == LoaderConfiguration {}

extension LoaderConfigurationReading {
    static var schema: ConfigurationSchema { .loader }
    static var least: Options { [("source.hosts", "a"), ("target.hosts", "b"), ("ceiling", "none")] }

    static func configuration(
        _ layers: ConfigurationLayers,
        _ readFile: @escaping (String) -> String?
    ) throws(ConfigurationError) -> LoaderConfiguration {
        try LoaderConfiguration(layers, readFile: readFile)
    }
}

struct LoaderConfigurationTests: LoaderConfigurationReading {
    @Test func `two clusters and a word about the ceiling are enough`() throws {
        let configuration = try self.read(options: Self.least)
        guard case .cluster(let source) = configuration.source else { throw Missing() }
        #expect(source.cluster.hosts == ["a"] && configuration.target.cluster.hosts == ["b"])
        #expect(source.cluster.credentials == .configured)
        #expect(source.requestTimeoutMilliseconds == 30_000)
        #expect(configuration.target.requestTimeoutMilliseconds == 10_000)
        #expect(configuration.ceiling == .none && configuration.dualWriter == nil)
        #expect(configuration.job.store == .sqlite(path: "cluster-sync-loader/job.sqlite"))
        #expect(configuration.deadLetters.folder == "cluster-sync-loader/dead-letters")
        #expect(configuration.reading.rowsPerSecond == nil && configuration.reading.bytesPerSecond == nil)
        #expect(configuration.admin == ListenAddress(host: "127.0.0.1", port: 9092))
        #expect(configuration.counters == .refuse && !configuration.indexes.dropsFirst)
        #expect(configuration.tables.contains(keyspace: "any", table: "thing"))
    }

    private struct Missing: Error {}

    @Test func `files are a source, too`() throws {
        let configuration = try self.read(
            options: [("target.hosts", "b"), ("ceiling", "none")],
            file: "files: {paths: [/backup/a, /backup/b], snapshot: s1}"
        )
        guard case .files(let files) = configuration.source else { throw Missing() }
        #expect(files == .init(paths: ["/backup/a", "/backup/b"], snapshot: "s1"))
        #expect(files.places == [.snapshot("s1")])
        #expect(LoaderConfiguration.Files(paths: []).places == [.live])
        #expect(LoaderConfiguration.Files(paths: [], backups: true).places == [.backups])
        #expect(
            LoaderConfiguration.Files(paths: [], snapshot: "s1", backups: true).places == [.snapshot("s1"), .backups]
        )
    }

    @Test func `nothing at all is not valid, and says what is missing`() {
        #expect(
            self.faults() == [
                "default: source.hosts: is missing, and files.paths too: where does it come from?",
                "default: target.hosts: is missing: where does it go to?",
                "default: ceiling: dual_writer needs dual_writer.admin or dual_writer.state_dir beside it; "
                    + "else give a moment, or none",
            ]
        )
    }

    @Test func `every default is a valid value of its key`() throws {
        let defaults = ConfigurationSchema.loader.keys.compactMap { key in
            key.fallback.map { (path: key.path, text: $0) }
        }
        #expect(defaults.count > 40)
        _ = try self.read(options: defaults + [("dual_writer.state_dir", "s")] + Self.least.dropLast())
    }

    @Test func `every key can be given in the environment`() { self.expectEveryKeyInTheEnvironment() }

    @Test func `a variable of another service is no mistake`() {
        let layers = ConfigurationLayers(
            schema: .loader,
            options: [],
            environment: ["CLUSTER_SYNC_WRITE_MODE": "x", "CLUSTER_SYNC_CELING": "y"],
            file: nil
        )
        #expect(layers.unknownVariables == ["CLUSTER_SYNC_CELING"])
    }

    @Test func `the command line beats the environment, which beats the file, which beats the default`() throws {
        let configuration = try self.read(
            options: Self.least + [("batch.statements", "3")],
            environment: ["CLUSTER_SYNC_BATCH_STATEMENTS": "2", "CLUSTER_SYNC_CONCURRENCY": "2", "SCYLLA_HOSTS": "no"],
            file: "batch: {statements: 1}\nconcurrency: 1\npage_rows: 1"
        )
        #expect(configuration.batch.statements == 3)
        #expect(configuration.reading.concurrency == 2)
        #expect(configuration.reading.pageRows == 1)
        #expect(configuration.reading.pageBytes == 1 << 20)
        #expect(configuration.target.cluster.hosts == ["b"])
    }

    @Test func `every key changes something of what is read`() throws {
        try self.expectEveryKeyToMatter { path in
            switch path {
            case "files.paths": [("source.hosts", "")]
            case "files.snapshot", "files.backups": [("source.hosts", ""), ("files.paths", "/a")]
            case "dual_writer.admin", "dual_writer.state_dir": [("ceiling", "dual_writer")]
            case "ceiling", "untold_time": [("dual_writer.state_dir", "s"), ("ceiling", "dual_writer")]
            default: nil
            }
        } values: { key in
            switch key.path {
            case "ceiling": ["none", "dual_writer"]
            case "dual_writer.admin": ["http://x", "http://y"]
            case "retries.pause_max_ms": ["20000", "30000"]
            case "columns.exclude": ["ks.t.a", "ks.t.b"]
            default: nil
            }
        }
    }

    @Test func `the window of writes has the bounds that are configured, and columns are left out`() async throws {
        let configuration = try self.read(
            options: Self.least + [("limits.in_flight", "40")],
            environment: ["CLUSTER_SYNC_LIMITS_IN_FLIGHT_MIN": "8"],
            file: "columns: {exclude: [shop.orders.note, shop.orders.Other, Crm.people.x]}"
        )
        let settings = try await configuration.settings(
            secrets: SecretReloader(interval: .seconds(5), logger: .init(label: "test"))
        )
        #expect(settings.pace.writesMin == 8 && settings.pace.writesMax == 40)
        #expect(
            settings.leavingOut == [
                .init(keyspace: "shop", table: "orders"): ["note", "Other"],
                .init(keyspace: "Crm", table: "people"): ["x"],
            ]
        )
        let usual = try self.read(options: Self.least)
        #expect(usual.limits.inFlightMin == 1 && usual.limits.inFlight == 64)
    }

    @Test func `each cluster gets the patience that is configured for it`() async throws {
        let configuration = try self.read(
            options: Self.least + [("source.request_timeout_ms", "16"), ("target.request_timeout_ms", "17")]
        )
        let secrets = SecretReloader(interval: .seconds(5), logger: .init(label: "test"))
        let settings = try await configuration.settings(secrets: secrets)
        #expect(settings.sourceSession.requestMilliseconds == 16)
        #expect(settings.targetSession.requestMilliseconds == 17)
    }

    @Test(arguments: [
        ("source.credentials", "forward"), ("writer", "x"), ("loader.prefetch_rows", "5"),
    ])
    func `what means nothing here is refused on the command line, too`(path: String, text: String) throws {
        let fault = try #require(self.faults(options: Self.least + [(path, text)]).first)
        #expect(fault.hasPrefix("--set \(path): \(path) has no meaning for sstable-loader: "))
    }

    @Test func `a secret is never printed`() throws {
        let configuration = try self.read(
            options: Self.least + [("target.username", "u"), ("target.password", "hush"), ("admin.token_file", "t")],
            secrets: ["t": " hush too\n"]
        )
        #expect(configuration.target.cluster.password?.text == "hush")
        #expect(configuration.adminToken == Secret("hush too", file: "t"))
        #expect(!"\(configuration)".contains("hush") && !String(reflecting: configuration).contains("hush"))
    }

    @Test func `the documented file is valid and shows every key with its default`() throws {
        let path = "\(ConfigurationTests.root)/config/sstable-loader.yaml"
        let file = ConfigurationFile(path: path, schema: .loader)
        #expect(file.faults == [])
        let layers = ConfigurationLayers(schema: .loader, options: [], environment: [:], file: file)
        let configuration = try LoaderConfiguration(layers) { _ in nil }
        #expect(configuration.dualWriter == .admin(["http://127.0.0.1:8080"]))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for key in ConfigurationSchema.loader.keys {
            let leaf = key.path.split(separator: ".").last.map(String.init) ?? key.path
            #expect(text.contains("\(leaf):"), "\(key.path) is not explained")
            for alias in key.aliases {
                #expect(text.contains(alias.hasSuffix(".pool_size") ? "pool_size" : alias), "\(alias) is not explained")
            }
            guard let fallback = key.fallback else { continue }
            #expect(file.values[key.path]?.text == fallback, "\(key.path) is not shown with its default")
        }
        // What is commented out is valid as well.
        let uncommented = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isKey = line.contains(#/^ *# [a-z_]+: /#) && !line.contains("works too") && !line.hasSuffix(".")
            return isKey ? line.replacing("# ", with: "", maxReplacements: 1) : line
        }.joined(separator: "\n")
        let commented = ConfigurationFile(name: "c", schema: .loader, text: uncommented)
        #expect(commented.faults.map(\.description) == [])
        #expect(commented.values.count > file.values.count + 10)
    }

    @Test(arguments: [
        ("job", "sqlite", true), ("deployment", "cluster", false),
    ])
    func `the manifests for Kubernetes configure a loader that can be probed and needs its token`(
        kind: String,
        store: String,
        isJob: Bool
    ) throws {
        let path = "\(ConfigurationTests.root)/k8s/sstable-loader-\(kind).yaml"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        let start = try #require(lines.firstIndex(of: "  sstable-loader.yaml: |"))
        let text = lines[(start + 1)...].prefix { $0.hasPrefix("    ") }.map { $0.dropFirst(4) }.joined(separator: "\n")
        let configuration = try self.read(
            file: text,
            secrets: [
                "/run/secrets/cluster-sync/source-password": "s", "/run/secrets/cluster-sync/target-password": "t",
                "/run/secrets/cluster-sync/admin-token": "a",
            ]
        )
        #expect(configuration.admin == ListenAddress(host: "0.0.0.0", port: 9092))
        #expect(configuration.adminToken?.text == "a")
        #expect(configuration.job.startsByItself == isJob && configuration.job.exitsWhenDone == isJob)
        #expect((configuration.job.store == .cluster) == (store == "cluster"))
        // Nothing else of the file system can be written.
        #expect(lines.contains("              mountPath: /var/lib/cluster-sync"))
        #expect(configuration.stateDirectory.hasPrefix("/var/lib/cluster-sync/"))
        #expect(configuration.deadLetters.folder.hasPrefix(configuration.stateDirectory))
    }
}
