import ArgumentParser
import CQLClient
import CQLProtocol
import Logging
import NIOPosix
import Operations
import Preflight

/// `cluster-sync preflight`: what stands in the way of a migration, and what to do about it.
struct PreflightCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight",
        abstract: "Look at both clusters before a migration: say what blocks it, what needs care, and how to go on.",
        discussion: """
            Reads system tables alone and changes nothing. --create-missing shows the exact statements that make what the target \
            lacks; with --apply they are run, one after the other, up to the first that is refused.

            Exit codes: 0 nothing blocks, 1 something does (with --apply: after what was created), 64 wrong command line, 69 a \
            cluster does not answer, 78 wrong configuration.
            """
    )

    @Option(
        help: "The YAML file of the sidecar; config/dual-writer-cassandra.yaml explains every key.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
    var settings: [String] = []

    @Option(help: "The consistency at which applications and jobs read and write.")
    var consistency = "LOCAL_QUORUM"

    @Flag(help: "Show the statements that make the keyspaces, types, tables and indexes that the target lacks.")
    var createMissing = false

    @Option(help: "Replicas of a missing keyspace on the target: KEYSPACE=DATACENTER:REPLICAS[,…]. Can be repeated.")
    var replication: [String] = []

    @Flag(help: "Run the statements of --create-missing on the target.")
    var apply = false

    @Flag(help: "Print what was found as JSON.")
    var json = false

    func validate() throws {
        if self.apply, !self.createMissing { throw ValidationError("--apply runs the statements of --create-missing.") }
        if !self.replication.isEmpty, !self.createMissing {
            throw ValidationError("--replication is for --create-missing.")
        }
        _ = try self.replicas()
        _ = try self.level()
    }

    func run() async throws {
        let (configuration, logger) = try self.load()
        for (name, settings) in [("source", configuration.source), ("target", configuration.target)]
        where settings.hosts.isEmpty {
            throw fail(Exit.configuration, "\(name).hosts is empty: a preflight looks at both clusters")
        }
        let run = PreflightRun(
            configuration: configuration,
            consistency: try self.level(),
            creates: self.createMissing,
            applies: self.apply,
            replication: try self.replicas(),
            logger: logger
        )
        let report: PreflightReport
        do {
            report = try await run.run()
        } catch let error as CQLSessionError {
            throw fail(Exit.unavailable, "\(error)")
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        if self.json {
            Output.line(String(decoding: try DocumentCoding.encode(report), as: UTF8.self))
        } else {
            Output.line(PreflightText(Style.standardOutput()).text(report))
        }
        if !report.ok { throw Exit.negative }
    }

    private func load() throws -> (SidecarConfiguration, Logger) {
        let layers = try ConfigurationOptions.layers(.sidecar, file: self.config, settings: self.settings)
        do {
            let configuration = try SidecarConfiguration(layers, readFile: ConfigurationOptions.secret)
            return (configuration, ConfigurationOptions.startLog(.error, configuration.logFormat, layers))
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
    }

    private func level() throws -> Consistency {
        let levels: [Consistency] = [
            .one, .two, .three, .quorum, .all, .localQuorum, .eachQuorum, .localOne,
        ]
        guard let level = levels.first(where: { $0.description == self.consistency.uppercased() }) else {
            let names = levels.map(\.description).joined(separator: ", ")
            throw ValidationError("--consistency is one of \(names), not '\(self.consistency)'")
        }
        return level
    }

    /// `shop=dc1:3,dc2:2`.
    private func replicas() throws -> [String: [String: Int]] {
        var all: [String: [String: Int]] = [:]
        for text in self.replication {
            let fault = ValidationError("--replication takes KEYSPACE=DATACENTER:REPLICAS[,…], not '\(text)'")
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, all[String(parts[0])] == nil else { throw fault }
            var replicas: [String: Int] = [:]
            for entry in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                // A data center may have colons in its name; a number has none.
                guard let colon = entry.lastIndex(of: ":"), let count = Int(entry[entry.index(after: colon)...]),
                    count > 0,
                    colon > entry.startIndex
                else { throw fault }
                replicas[String(entry[..<colon])] = count
            }
            all[String(parts[0])] = replicas
        }
        return all
    }
}
