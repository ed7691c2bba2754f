import DualWriteCore
import Logging
import Operations

/// What a service would make of its configuration, found out without starting it.
struct ConfigurationCheck: Sendable {
    /// One key with the value that counts.
    struct Setting: Sendable, Equatable, Encodable {
        let key: String
        /// As it was written; `***` for a secret, nil where there is none.
        let value: String?
        /// A file with its line, a variable, an option, or `default`.
        let origin: String
        let isDefault: Bool
    }

    /// The command of the service.
    let service: String
    /// Every key, in the order of the documentation.
    let settings: [Setting]
    /// Everything that is wrong.
    private(set) var faults: [ConfigurationFault]
    /// What is ignored, and stops nothing.
    let remarks: [String]

    init(_ layers: ConfigurationLayers, _ validation: ConfigurationFault.Source) async {
        self.service = layers.schema.service
        self.settings = layers.schema.keys.map { key in
            let found = layers.value(key)
            let text = found?.text ?? key.fallback
            return Setting(
                key: key.path,
                value: key.kind == .secret ? text.map { _ in "***" } : text,
                origin: found?.origin ?? "default",
                isDefault: found == nil
            )
        }
        let variables = ConfigurationSchema.all.flatMap { $0.keys.map(\.variable) }
        self.remarks = layers.unknownVariables.map { name in
            let meant = Nearest.match(name, among: variables).map { "; did you mean \($0)?" } ?? ""
            return "\(name) is no variable of cluster-sync, and ignored\(meant)"
        }
        self.faults = await validation(layers)
    }
}

extension ConfigurationFault {
    /// Everything that is wrong with the configuration of one service.
    typealias Source = @Sendable (ConfigurationLayers) async -> [ConfigurationFault]

    fileprivate static func caught(_ error: any Error, _ place: String) -> [ConfigurationFault] {
        if let error = error as? ConfigurationError { return error.faults }
        return [.init(origin: place, message: "\(error)")]
    }
}

/// The services whose configuration is checked: what each of them does with it before it begins.
enum CheckedService: String, CaseIterable, Sendable {
    case dualWriter = "dual-writer"
    case loader = "sstable-loader"
    case reader = "dual-reader"

    var schema: ConfigurationSchema {
        switch self {
        case .dualWriter: .sidecar
        case .loader: .loader
        case .reader: .reader
        }
    }

    /// The service that a file was written for: the one that finds the least wrong with its keys.
    static func of(_ path: String) -> CheckedService {
        let faults = Self.allCases.map { ConfigurationFile(path: path, schema: $0.schema).faults.count }
        let least = faults.indices.min { (faults[$0], $0) < (faults[$1], $1) } ?? 0
        return Self.allCases[least]
    }

    /// Reads values, files and certificates as the service's start does; opens and changes nothing.
    func faults(_ layers: ConfigurationLayers) async -> [ConfigurationFault] {
        switch self {
        case .dualWriter: await Self.ofDualWriter(layers)
        case .loader: await Self.ofLoader(layers)
        case .reader: await Self.ofReader(layers)
        }
    }

    /// Takes what is logged while files are read: what is wrong comes as a fault.
    private static let quiet = Logger(label: "cluster-sync") { _ in SwiftLogNoOpLogHandler() }

    private static func gather(_ place: String, _ body: () async throws -> Void) async -> [ConfigurationFault] {
        do {
            try await body()
            return []
        } catch {
            return ConfigurationFault.caught(error, place)
        }
    }

    private static func ofAdmin(
        _ address: ListenAddress,
        _ token: Secret?,
        _ tls: TLSFiles?,
        _ secrets: SecretReloader
    ) async -> [ConfigurationFault] {
        await Self.gather("admin.tls") {
            _ = try await AdminServer.Configuration(
                address,
                token: token,
                tls: tls,
                following: secrets,
                logger: Self.quiet
            )
        }
    }

    private static func ofDualWriter(_ layers: ConfigurationLayers) async -> [ConfigurationFault] {
        let configuration: SidecarConfiguration
        do {
            configuration = try SidecarConfiguration(layers, readFile: ConfigurationOptions.secret)
        } catch {
            return error.faults
        }
        let secrets = SecretReloader(logger: Self.quiet)
        var faults: [ConfigurationFault] = []
        let hosts = (configuration.source.hosts, configuration.target.hosts)
        if let missing = SidecarControl.missing(configuration.writeMode, configuration.overrides, hosts) {
            faults.append(.init(origin: configuration.writeModeOrigin ?? "default", message: "write_mode: \(missing)"))
        }
        faults += await Self.gather("dual-writer") {
            _ = try await configuration.dualWriter(mode: configuration.writeMode, epoch: 0, secrets: secrets)
        }
        return faults
            + (await Self.ofAdmin(configuration.admin, configuration.adminToken, configuration.adminTLS, secrets))
    }

    private static func ofLoader(_ layers: ConfigurationLayers) async -> [ConfigurationFault] {
        let configuration: LoaderConfiguration
        do {
            configuration = try LoaderConfiguration(layers, readFile: ConfigurationOptions.secret)
        } catch {
            return error.faults
        }
        let secrets = SecretReloader(logger: Self.quiet)
        let faults = await Self.gather("sstable-loader") { _ = try await configuration.settings(secrets: secrets) }
        return faults
            + (await Self.ofAdmin(configuration.admin, configuration.adminToken, configuration.adminTLS, secrets))
    }

    private static func ofReader(_ layers: ConfigurationLayers) async -> [ConfigurationFault] {
        let configuration: ReaderConfiguration
        do {
            configuration = try ReaderConfiguration(layers, readFile: ConfigurationOptions.secret)
        } catch {
            return error.faults
        }
        let secrets = SecretReloader(logger: Self.quiet)
        var faults = await Self.gather("dual-reader") {
            _ = try await configuration.settings(only: nil, secrets: secrets)
        }
        faults += await Self.gather("dual_writer") {
            _ = try await DualWriterView(configuration.sidecars, secrets: secrets)
        }
        let service = configuration.service
        return faults + (await Self.ofAdmin(service.admin, service.token, service.adminTLS, secrets))
    }
}
