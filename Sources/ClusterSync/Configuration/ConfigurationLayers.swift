import Configuration
import Operations

/// The places that a value can come from, strongest first: command line, environment, file. What none of them gives has the
/// default of its key.
struct ConfigurationLayers: Sendable {
    /// A value with the place that it came from, for messages.
    struct Found: Sendable, Equatable {
        let text: String
        let origin: String
    }

    private struct Layer: Sendable {
        let provider: any ConfigProvider
        let origin: @Sendable (ConfigurationKey) -> String
    }

    let schema: ConfigurationSchema
    private let layers: [Layer]
    /// What was wrong with the places themselves.
    private(set) var faults: [ConfigurationFault]
    /// Whether there is a file of which nothing could be read: what it would have said is not known.
    let isFileUnread: Bool
    /// Variables that look like ours and are not known. They stop nothing: Kubernetes sets such names by itself.
    let unknownVariables: [String]

    init(
        schema: ConfigurationSchema,
        options: [(path: String, text: String)],
        environment: [String: String],
        file: ConfigurationFile?
    ) {
        var faults = file?.faults ?? []
        var given: [String: String] = [:]
        for option in options {
            guard let key = schema.key(named: option.path) else {
                faults.append(.init(origin: "--set \(option.path)", message: schema.unknown(option.path)))
                continue
            }
            given[key.path] = option.text
        }
        // An empty variable counts as absent, except for lists: for hosts it takes the cluster away.
        var aliases: [String: (text: String, name: String)] = [:]
        var variables: [String: String] = [:]
        for key in schema.keys {
            if let text = environment[key.variable], key.kind.isList || !text.isEmpty {
                variables[key.variable] = text
            }
            for name in key.variables {
                if let text = environment[name], key.kind.isList || !text.isEmpty {
                    aliases[key.path] = (text, name)
                }
            }
        }
        let names = aliases.mapValues(\.name)
        let values = file?.values ?? [:]
        let fileName = file?.name ?? ""
        self.schema = schema
        self.layers = [
            Layer(provider: Self.provider("command line", given, schema)) { "--set \($0.path)" },
            Layer(
                provider: EnvironmentVariablesProvider(environmentVariables: variables)
                    .prefixKeys(with: ConfigKey(["cluster", "sync"]))
            ) { $0.variable },
            Layer(provider: Self.provider("environment", aliases.mapValues(\.text), schema)) {
                names[$0.path] ?? $0.variable
            },
            Layer(provider: Self.provider("file", values.mapValues(\.text), schema)) { key in
                "\(fileName):\(values[key.path]?.line ?? 0)"
            },
        ]
        self.faults = faults
        self.isFileUnread = file?.isRead == false
        self.unknownVariables = Self.unknown(among: environment.keys)
    }

    /// The strongest value of `key`.
    func value(_ key: ConfigurationKey) -> Found? {
        let absolute = AbsoluteConfigKey(key.path.split(separator: ".").map(String.init))
        for layer in self.layers {
            // Every layer holds texts only, so looking one up as a text cannot fail.
            guard let found = try? layer.provider.value(forKey: absolute, type: .string).value else { continue }
            guard case .string(let text) = found.content else { continue }
            return Found(text: text, origin: layer.origin(key))
        }
        return nil
    }

    private static func provider(
        _ name: String,
        _ texts: [String: String],
        _ schema: ConfigurationSchema
    ) -> InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (path, text) in texts {
            let isSecret = schema.key(named: path)?.kind == .secret
            let key = AbsoluteConfigKey(path.split(separator: ".").map(String.init))
            values[key] = ConfigValue(.string(text), isSecret: isSecret)
        }
        return InMemoryProvider(name: name, values: values)
    }

    private static func unknown(among names: some Sequence<String>) -> [String] {
        // Services may share their environment: what another one knows is no mistake.
        let known = Set(ConfigurationSchema.all.flatMap { $0.keys.map(\.variable) })
        let others = [
            "CLUSTER_SYNC_ENDPOINT", "CLUSTER_SYNC_FIXTURES", "CLUSTER_SYNC_CONFIG", "CLUSTER_SYNC_CA_FILE",
            "CLUSTER_SYNC_CERTIFICATE_FILE", "CLUSTER_SYNC_KEY_FILE",
        ]
        return names.filter { name in
            guard name.hasPrefix("CLUSTER_SYNC_"), !known.contains(name), !others.contains(name) else { return false }
            // CLUSTER_SYNC_PORT_9042_TCP and the like are made by Kubernetes for a service of that name.
            return !name.hasPrefix("CLUSTER_SYNC_TEST_") && !name.hasPrefix("CLUSTER_SYNC_PORT")
                && !name.hasPrefix("CLUSTER_SYNC_SERVICE")
        }.sorted()
    }
}
