import FoundationEssentials
import Operations
import TestSupport
import Testing

@testable import ClusterSync

/// `cluster-sync config check`, from outside.
struct ConfigCommandTests {
    private struct Document: Decodable {
        struct Fault: Decodable {
            let origin: String
            let message: String
        }
        struct Setting: Decodable, Equatable {
            let key: String
            let value: String?
            let origin: String
            let isDefault: Bool
        }
        let service: String
        let valid: Bool
        let faults: [Fault]
        let remarks: [String]
        let settings: [Setting]

        func setting(_ key: String) -> Setting? { self.settings.first { $0.key == key } }
    }

    private static func document(_ result: ChildProcess.Result) throws -> Document {
        try DocumentCoding.decode(Document.self, from: Data(result.output.utf8))
    }

    private static func check(
        _ text: String,
        _ words: [String] = ["--json"],
        _ environment: [String: String] = [:]
    ) async throws -> (ChildProcess.Result, path: String) {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/c.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return (try await ChildProcess.run(["config", "check", path] + words, environment: environment), path)
    }

    @Test(arguments: [
        ("config/dual-writer-cassandra.yaml", "dual-writer"), ("config/dual-writer-scylla.yaml", "dual-writer"),
        ("config/sstable-loader.yaml", "sstable-loader"), ("config/dual-reader.yaml", "dual-reader"),
    ])
    func `every file of config is known by its keys, and can be started`(file: String, service: String) async throws {
        let result = try await ChildProcess.run(["config", "check", "\(Repository.root)/\(file)"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("\(service) can be started"))
    }

    @Test func `each value says where it comes from, and no secret is shown`() async throws {
        let (result, path) = try await Self.check(
            """
            source:
              hosts: [10.0.0.1]
              username: app
              password: from-file
            timeouts:
              read_ms: 7
            """,
            [
                "--json", "--set", "timeouts.read_ms=8", "--set", "target.username=app", "--set",
                "admin.token=from-option",
            ],
            [
                "CLUSTER_SYNC_TARGET_PASSWORD": "from-variable", "SCYLLA_HOSTS": "10.0.0.2",
                "CLUSTER_SYNC_TIMEOUT_READ_MS": "1",
            ]
        )
        #expect(result.code == 0, "\(result.errors)")
        let document = try Self.document(result)
        #expect(document.valid && document.faults.isEmpty && document.service == "dual-writer")
        for (key, value, origin) in [
            ("source.hosts", "10.0.0.1", "\(path):2"), ("source.password", "***", "\(path):4"),
            ("timeouts.read_ms", "8", "--set timeouts.read_ms"), ("target.hosts", "10.0.0.2", "SCYLLA_HOSTS"),
            ("target.password", "***", "CLUSTER_SYNC_TARGET_PASSWORD"), ("admin.token", "***", "--set admin.token"),
        ] {
            #expect(document.setting(key) == .init(key: key, value: value, origin: origin, isDefault: false))
        }
        #expect(document.setting("log.level")?.isDefault == true && document.setting("advertised")?.value == nil)
        #expect(!(result.output + result.errors).contains("from-"))
        #expect(
            document.remarks == [
                "CLUSTER_SYNC_TIMEOUT_READ_MS is no variable of cluster-sync, and ignored; did you mean "
                    + "CLUSTER_SYNC_TIMEOUTS_READ_MS?"
            ]
        )
    }

    @Test func `everything that is wrong is said at once, with its line and the nearest name`() async throws {
        let (result, path) = try await Self.check(
            """
            lisen: 127.0.0.1:1
            write_mode: sideways
            timeouts:
              read_ms: soon
            """,
            ["--set", "loops=many"]
        )
        #expect(result.code == 78)
        #expect(result.output.hasPrefix("dual-writer cannot be started"))
        for line in [
            "there are 4 faults", "\(path):1: unknown key 'lisen'; did you mean 'listen'?",
            "\(path):2: write_mode: unknown write mode 'sideways'", "\(path):4: timeouts.read_ms: 'soon' is not",
            "--set loops: loops: 'many' is not",
        ] { #expect(result.errors.contains(line), "\(result.errors)") }
    }

    @Test func `what only the start would find is found: a missing cluster, a certificate that is not there`()
        async throws
    {
        let (result, path) = try await Self.check(
            """
            source: {hosts: [10.0.0.1]}
            write_mode: DualWriteAsync
            admin: {tls: {certificate_file: /nowhere/c.pem, key_file: /nowhere/k.pem}}
            """
        )
        #expect(result.code == 78)
        let faults = try Self.document(result).faults
        #expect(faults.contains { $0.origin == "\(path):2" && $0.message.contains("no host of it is configured") })
        #expect(faults.contains { $0.origin == "admin.tls" && $0.message.contains("/nowhere/c.pem") })
    }

    @Test func `a file that is not there, or of another service, is refused`() async throws {
        let missing = try await ChildProcess.run(["config", "check", "/nowhere/x.yaml"])
        #expect(missing.code == 78 && missing.errors.contains("/nowhere/x.yaml: the file cannot be read"))
        let file = "\(Repository.root)/config/dual-reader.yaml"
        let other = try await ChildProcess.run(["config", "check", file, "--service", "dual-writer"])
        #expect(other.code == 78 && other.errors.contains("unknown key"))
        let nonsense = try await ChildProcess.run(["config", "check", file, "--service", "nonsense"])
        #expect(nonsense.code == 64)
    }
}
