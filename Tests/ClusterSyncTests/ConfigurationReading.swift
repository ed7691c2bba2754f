import Testing

@testable import ClusterSync

/// Reads a service's configuration from its layers, and holds its keys against what is asked of every service's.
protocol ConfigurationReading {
    associatedtype Configuration
    typealias Options = [(path: String, text: String)]

    static var schema: ConfigurationSchema { get }
    /// The least that is valid.
    static var least: Options { get }

    static func configuration(
        _ layers: ConfigurationLayers,
        _ readFile: @escaping (String) -> String?
    ) throws(ConfigurationError) -> Configuration
}

/// A kind of value of which a service has no key so far.
struct NoValuesKnown: Error { let key: String }

extension ConfigurationReading {
    func read(
        options: Options = [],
        environment: [String: String] = [:],
        file: String? = nil,
        secrets: [String: String] = [:]
    ) throws(ConfigurationError) -> Configuration {
        let layers = ConfigurationLayers(
            schema: Self.schema,
            options: options,
            environment: environment,
            file: file.map { ConfigurationFile(name: "c.yaml", schema: Self.schema, text: $0) }
        )
        return try Self.configuration(layers) { secrets[$0] }
    }

    func faults(options: Options = [], file: String? = nil) -> [String] {
        do {
            _ = try self.read(options: options, file: file)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    /// Expects that each key has a variable of the environment.
    func expectEveryKeyInTheEnvironment() {
        for key in Self.schema.keys {
            let layers = ConfigurationLayers(
                schema: Self.schema,
                options: [],
                environment: [key.variable: "text"],
                file: nil
            )
            #expect(layers.value(key) == .init(text: "text", origin: key.variable))
            #expect(layers.unknownVariables == [])
        }
    }

    /// Expects that two values of each key are read as two configurations.
    ///
    /// - Parameters:
    ///   - beside: what a key needs beside it; nil where that is as for any cluster.
    ///   - values: two values of a key that its kind does not tell.
    func expectEveryKeyToMatter(beside: (String) -> Options?, values: (ConfigurationKey) -> [String]?) throws {
        for key in Self.schema.keys {
            var read: [String] = []
            for value in try values(key) ?? Self.values(of: key) {
                let besides = beside(key.path) ?? Self.besideOfCluster(key.path)
                let configuration = try self.read(
                    options: Self.least + besides + [(key.path, value)],
                    secrets: ["p": "hush", "value1": "one", "value2": "two"]
                )
                // Unlike a description, this shows secrets, too.
                read.append("")
                dump(configuration, to: &read[read.count - 1])
            }
            #expect(Set(read).count == 2, "\(key.path)")
        }
    }

    private static func besideOfCluster(_ path: String) -> Options {
        // A certificate needs its key, the other way round, and an authority of clients both.
        for section in ["admin.tls.", "dual_writer.tls."] where path.hasPrefix(section) && !path.hasSuffix(".ca_file") {
            return ["certificate_file", "key_file"].map { (section + $0, "other") }.filter { $0.0 != path }
        }
        let cluster = path.hasPrefix("source.") ? "source" : "target"
        switch path {
        case _ where path.hasSuffix(".username"): return [("\(cluster).password_file", "p")]
        case _ where path.contains(".password"): return [("\(cluster).username", "u")]
        case _ where path.contains(".tls.") && !path.hasSuffix(".enabled"):
            return [("enabled", "true"), ("certificate", "/c"), ("key", "/k")].map { ("\(cluster).tls.\($0)", $1) }
        default: return []
        }
    }

    private static func values(of key: ConfigurationKey) throws -> [String] {
        switch key.kind {
        case .choice(let choices): return Array(choices.prefix(2))
        case .integer(let range): return ["\(range.lowerBound)", "\(range.lowerBound + 1)"]
        case .address: return ["127.0.0.1:1", "127.0.0.1:2"]
        case .percentage: return ["0.5", "50"]
        case .text, .secret, .path, .hosts, .tables, .texts: return ["value1", "value2"]
        case .ceiling, .mode: throw NoValuesKnown(key: key.path)
        }
    }
}
