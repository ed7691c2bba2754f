import DualWriteCore
import FoundationEssentials
import Testing

@testable import ClusterSync

struct ConfigurationTests {
    static let root = String(#filePath.dropLast("/Tests/ClusterSyncTests/ConfigurationTests.swift".count))

    private func read(
        options: [(path: String, text: String)] = [],
        environment: [String: String] = [:],
        file: String? = nil,
        secrets: [String: String] = [:]
    ) throws(ConfigurationError) -> SidecarConfiguration {
        let layers = ConfigurationLayers(
            schema: .sidecar,
            options: options,
            environment: environment,
            file: file.map { ConfigurationFile(name: "c.yaml", schema: .sidecar, text: $0) }
        )
        return try SidecarConfiguration(layers) { secrets[$0] }
    }

    private func faults(
        options: [(path: String, text: String)] = [],
        environment: [String: String] = [:],
        file: String? = nil,
        secrets: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try self.read(options: options, environment: environment, file: file, secrets: secrets)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test func `nothing at all is a valid configuration with the documented defaults`() throws {
        let configuration = try self.read()
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 9042))
        #expect(configuration.admin == ListenAddress(host: "127.0.0.1", port: 8080))
        #expect(configuration.writeMode == .primaryOnly)
        #expect(configuration.source.hosts.isEmpty && configuration.target.hosts.isEmpty)
        #expect(configuration.timeouts.shadowWriteMilliseconds == 5_000)
    }

    @Test func `every default is a valid value of its key`() throws {
        let options = ConfigurationSchema.sidecar.keys.compactMap { key in
            key.fallback.map { (path: key.path, text: $0) }
        }
        _ = try self.read(options: options)
        #expect(options.count > 30)
    }

    @Test func `the command line beats the environment, which beats the file, which beats the default`() throws {
        let file = "timeouts:\n  read_ms: 1\n  connect_ms: 1\n  drain_ms: 1\n"
        let environment = ["CLUSTER_SYNC_TIMEOUTS_READ_MS": "2", "CLUSTER_SYNC_TIMEOUTS_CONNECT_MS": "2"]
        let configuration = try self.read(
            options: [("timeouts.read_ms", "3")],
            environment: environment,
            file: file
        )
        #expect(configuration.timeouts.readMilliseconds == 3)
        #expect(configuration.timeouts.connectMilliseconds == 2)
        #expect(configuration.timeouts.drainMilliseconds == 1)
        #expect(configuration.timeouts.primaryWriteMilliseconds == 10_000)
    }

    @Test func `every key can be given in the environment`() {
        for key in ConfigurationSchema.sidecar.keys {
            let layers = ConfigurationLayers(
                schema: .sidecar,
                options: [],
                environment: [key.variable: "text"],
                file: nil
            )
            #expect(layers.value(key) == .init(text: "text", origin: key.variable))
            #expect(layers.unknownVariables == [])
        }
    }

    @Test func `the names that operators know work`() throws {
        let configuration = try self.read(environment: [
            "CASSANDRA_HOSTS": "127.0.0.1:19042, c2", "SCYLLA_HOSTS": "127.0.0.2:19042", "WRITE_MODE": "dualAsync",
            "VALIDATION_PERCENTAGE": "2.5",
        ])
        #expect(configuration.source.hosts == ["127.0.0.1:19042", "c2"])
        #expect(configuration.target.hosts == ["127.0.0.2:19042"])
        #expect(configuration.writeMode == .dualWriteAsync)
        #expect(configuration.writeModeOrigin == "WRITE_MODE")
        #expect(configuration.validationPercentage == 2.5)
    }

    @Test func `the flat six field document is a valid file`() throws {
        let configuration = try self.read(
            file: """
                cassandra_hosts: [a, "b:9142"]
                scylla_hosts: c
                write_mode: 2
                validation_percentage: 10
                shadow_write_timeout_ms: 100
                primary_write_timeout_ms: 200
                """
        )
        #expect(configuration.source.hosts == ["a", "b:9142"])
        #expect(configuration.target.hosts == ["c"])
        #expect(configuration.writeMode == .dualWriteSync)
        #expect(configuration.timeouts.shadowWriteMilliseconds == 100)
        #expect(configuration.timeouts.primaryWriteMilliseconds == 200)
    }

    @Test func `an empty host list takes a cluster away`() throws {
        #expect(try self.read(environment: ["CASSANDRA_HOSTS": ""], file: "source: {hosts: [a]}").source.hosts == [])
        #expect(try self.read(file: "source:\n  hosts: []\n").source.hosts == [])
        #expect(try self.read(file: "source:\n").source.hosts == [])
    }

    @Test func `all faults are reported at once with file, line and key`() {
        let file = """
            lisen: 1
            source:
              hots: [a]
              port: 99999
            write_mode: sideways
            timeouts: 5
            limits:
              frame_bytes: many
            """
        #expect(
            self.faults(file: file) == [
                "c.yaml:1: unknown key 'lisen'; did you mean 'listen'?",
                "c.yaml:3: unknown key 'source.hots'; did you mean 'source.hosts'?",
                "c.yaml:6: timeouts has no value itself, only keys below it: timeouts.connect_ms, timeouts.read_ms, "
                    + "timeouts.primary_write_ms, …",
                "c.yaml:5: write_mode: unknown write mode 'sideways'; valid are PrimaryOnly (0), DualWriteAsync (1), "
                    + "DualWriteSync (2), ShadowPrimary (3), TargetOnly (4) and the older names SourceOnly, DualAsync, "
                    + "DualSync",
                "c.yaml:4: source.port: '99999' is not a whole number from 1 to 65535",
                "c.yaml:8: limits.frame_bytes: 'many' is not a whole number from 1024 to 1073741824",
            ]
        )
    }

    @Test(arguments: [
        ("listen: nowhere", "c.yaml:1: listen: 'nowhere' is not an address such as 127.0.0.1:9042 or [::1]:9042"),
        (
            "log: {level: loud}",
            "c.yaml:1: log.level: 'loud' is not one of trace, debug, info, notice, warning, error, critical"
        ),
        (
            "source: {hosts: ['http://x']}",
            "c.yaml:1: source.hosts: 'http://x' is no contact point: it holds a character that no host has"
                + "; write host, host:port, address:port or [ipv6]:port"
        ),
        (
            "source: {hosts: ['x:0']}",
            "c.yaml:1: source.hosts: 'x:0' is no contact point: the port is not a number from 1 to 65535"
                + "; write host, host:port, address:port or [ipv6]:port"
        ),
        ("source: {hosts: [[a]]}", "c.yaml:1: source.hosts: every host must be a text"),
        ("listen: [a]", "c.yaml:1: listen: must be one value"),
        ("- a", "c.yaml: the file must be a mapping of keys to values"),
        ("validation_percentage: 101", "c.yaml:1: validation_percentage: '101' is not a number from 0 to 100"),
        ("source: {password: x}", "c.yaml:1: source.password: needs source.username beside it"),
        ("source: {username: x}", "c.yaml:1: source.username: needs source.password or source.password_file beside it"),
        ("admin: {token_file: none}", "c.yaml:1: admin.token_file: the file 'none' cannot be read"),
        ("listen: 127.0.0.1:8080", "default: admin.listen: is the same address as listen"),
        (
            "timeouts: {shadow_write_ms: 1}\nshadow_write_timeout_ms: 2",
            "c.yaml:2: shadow_write_timeout_ms was already given in line 1"
        ),
    ])
    func `a wrong value is one fault that says what is right`(file: String, fault: String) {
        #expect(self.faults(file: file) == [fault])
    }

    @Test(arguments: ["a: [", "a: b: c", "\t- x", "listen: 1\nlisten: 2", "%"])
    func `text that is not YAML is one fault with its line`(file: String) throws {
        let fault = try #require(self.faults(file: file).first)
        #expect(fault.hasPrefix("c.yaml:"))
    }

    @Test func `an unknown key of --set is a fault and an unknown variable is only noted`() {
        #expect(
            self.faults(options: [("soure.port", "1")])
                == ["--set soure.port: unknown key 'soure.port'; did you mean 'source.port'?"]
        )
        let layers = ConfigurationLayers(
            schema: .sidecar,
            options: [],
            environment: ["CLUSTER_SYNC_LISTN": "x", "CLUSTER_SYNC_PORT_9042_TCP": "tcp://1.2.3.4", "OTHER": "y"],
            file: nil
        )
        #expect(layers.unknownVariables == ["CLUSTER_SYNC_LISTN"])
        #expect(layers.faults == [])
    }

    @Test(arguments: ["nope", "9042", "127.0.0.1:99999", "10.0.0.1", "10.0.0.1:0"])
    func `what is advertised is an address with a port, and one of the sidecars`(text: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try self.read(file: "advertised: '\(text)'") }
        #expect(error?.faults.count == 1 && error?.description.contains("advertised") == true)
        let good = try self.read(file: "advertised: 10.0.0.1:9042\nsidecars: ['10.0.0.1:9042', '10.0.0.2:9042']")
        #expect(good.sidecars.count == 2)
        #expect(throws: ConfigurationError.self) { try self.read(file: "sidecars: ['10.0.0.1:9042']") }
    }

    @Test func `a secret can stand in a file and is never printed`() throws {
        let configuration = try self.read(file: "admin: {token_file: t}", secrets: ["t": "  hush\n"])
        #expect(configuration.adminToken == Secret("hush", file: "t"))
        #expect(!"\(configuration)".contains("hush"))
        #expect(!String(reflecting: configuration).contains("hush"))
    }

    @Test(arguments: ["dual-writer-cassandra.yaml", "dual-writer-scylla.yaml"])
    func `the documented files are valid and show every key with its default`(name: String) throws {
        let path = "\(Self.root)/config/\(name)"
        let file = ConfigurationFile(path: path, schema: .sidecar)
        #expect(file.faults == [])
        let layers = ConfigurationLayers(schema: .sidecar, options: [], environment: [:], file: file)
        _ = try SidecarConfiguration(layers) { _ in nil }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for key in ConfigurationSchema.sidecar.keys {
            let leaf = key.path.split(separator: ".").last.map(String.init) ?? key.path
            #expect(text.contains("\(leaf):"), "\(key.path) is not explained")
            guard let value = file.values[key.path], let fallback = key.fallback, !key.path.hasSuffix(".driver") else {
                continue
            }
            #expect(value.text == fallback, "\(key.path) is not shown with its default")
        }
    }
}
