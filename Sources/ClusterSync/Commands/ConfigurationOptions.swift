import ArgumentParser
import FoundationEssentials
import Logging

/// What the commands of all services do with their configuration's places.
enum ConfigurationOptions {
    /// The places that values come from.
    ///
    /// - Parameters:
    ///   - file: the path of a YAML file.
    ///   - settings: texts `key=value` of the command line.
    static func layers(_ schema: ConfigurationSchema, file: String?, settings: [String]) throws -> ConfigurationLayers {
        var options: [(path: String, text: String)] = []
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError("--set takes key=value, not '\(setting)'") }
            options.append((String(parts[0]), String(parts[1])))
        }
        return ConfigurationLayers(
            schema: schema,
            options: options,
            environment: ProcessInfo.processInfo.environment,
            file: file.map { ConfigurationFile(path: $0, schema: schema) }
        )
    }

    /// The text of a file that holds a secret; nil where it cannot be read.
    static func secret(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Sets up the log, and warns of variables that look like ours and are not known. Once in a process.
    static func startLog(_ level: Logger.Level, _ format: LogFormat, _ layers: ConfigurationLayers) -> Logger {
        SinkLogHandler.bootstrap(level, format)
        let logger = Logger(label: "cluster-sync")
        for name in layers.unknownVariables {
            logger.warning("\(name) is no variable of cluster-sync; it is ignored")
        }
        return logger
    }
}
