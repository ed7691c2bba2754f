import ArgumentParser
import FoundationEssentials
import Operations

/// `cluster-sync config`: what the services make of their configuration.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check the configuration of a service.",
        subcommands: [Check.self]
    )

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is wrong with a configuration, and what would count, without starting anything.",
            discussion: """
                The file, the environment and --set count as they would for the service that reads them, and files that they \
                name (passwords, certificates, filters) are read: run it where the service runs. Everything that is wrong is \
                said at once, with file and line. Secrets are shown as ***.

                Exit codes: 0 it can be started so, 64 wrong command line, 78 it cannot.
                """
        )

        @Argument(
            help: "The YAML file of a dual-writer, a loader or a reader; without it environment and --set alone.",
            completion: .file(extensions: ["yaml", "yml"])
        )
        var file: String?

        @Option(help: "Whose it is: dual-writer, sstable-loader or dual-reader; without it the one whose keys it has.")
        var service: CheckedService?

        @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
        var settings: [String] = []

        @Flag(help: "Show only what is not the default.")
        var changed = false

        @Flag(help: "Print the settings and what is wrong as JSON.")
        var json = false

        /// The answer as JSON.
        struct Document: Encodable {
            struct Fault: Encodable {
                let origin: String
                let message: String
            }

            let service: String
            let file: String?
            let valid: Bool
            let faults: [Fault]
            let remarks: [String]
            let settings: [ConfigurationCheck.Setting]
        }

        func run() async throws {
            let service = self.service ?? self.file.map { CheckedService.of($0) } ?? .dualWriter
            let layers = try ConfigurationOptions.layers(service.schema, file: self.file, settings: self.settings)
            let check = await ConfigurationCheck(layers) { await service.faults($0) }
            let shown = check.settings.filter { !self.changed || !$0.isDefault }
            if self.json {
                let document = Document(
                    service: check.service,
                    file: self.file,
                    valid: check.faults.isEmpty,
                    faults: check.faults.map { .init(origin: $0.origin, message: $0.message) },
                    remarks: check.remarks,
                    settings: shown
                )
                Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
            } else {
                Output.line(Self.text(check, shown, .standardOutput()))
                for remark in check.remarks { Output.error("cluster-sync: \(remark)") }
            }
            guard check.faults.isEmpty else {
                throw fail(Exit.configuration, ConfigurationError(faults: check.faults).description)
            }
        }

        static func text(
            _ check: ConfigurationCheck,
            _ settings: [ConfigurationCheck.Setting],
            _ style: Style
        ) -> String {
            let verdict = check.faults.isEmpty ? style.green("can be started") : style.red("cannot be started")
            let title = "\(style.bold(check.service)) \(verdict)"
            guard !settings.isEmpty else { return "\(title); every key has its default" }
            var table = TextTable([.init("KEY"), .init("VALUE"), .init("FROM")])
            for setting in settings {
                let value = setting.value.map { Human.line($0, max: 60) } ?? "-"
                table.add([
                    .init(setting.key) { setting.isDefault ? style.dim($0) : style.bold($0) },
                    .init(value) { setting.isDefault ? style.dim($0) : $0 },
                    .init(setting.origin) { setting.isDefault ? style.dim($0) : $0 },
                ])
            }
            return "\(title)\n\n\(table.render(style))"
        }
    }
}

extension CheckedService: ExpressibleByArgument {}
