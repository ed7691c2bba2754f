import ArgumentParser
import EmbeddedNode
import FoundationEssentials
import Logging
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// `cluster-sync node`: one embedded CQL node, for trying things out.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run an in-memory CQL node, to try things out. It keeps nothing.",
        discussion: """
            It speaks the native protocol (v3 and v4) and CQL as Cassandra 4.1 does, and refuses by name what it cannot do. \
            All its data is in memory and gone when it stops.

            Exit codes: 0 stopped in order, 64 wrong command line, 69 the address cannot be listened on.
            """
    )

    @Option(help: "Where clients connect: host:port, or a port of 127.0.0.1.")
    var listen = "127.0.0.1:9042"

    @Option(help: "The cluster's name.")
    var clusterName = "embedded"

    @Option(help: "The node's data center.")
    var dataCenter = "datacenter1"

    @Option(help: "A user name that clients must give; without one everybody is let in.")
    var user: String?

    @Option(help: "A file that holds the user's password, in its first line.")
    var passwordFile: String?

    func run() async throws {
        guard let address = ListenAddress(self.listen) else {
            throw fail(Exit.usage, "--listen takes host:port, or a port of 127.0.0.1, not '\(self.listen)'")
        }
        var configuration = EmbeddedNodeConfiguration()
        configuration.clusterName = self.clusterName
        configuration.dataCenter = self.dataCenter
        if let user { configuration.authentication = .password([user: try self.password()]) }
        let node: EmbeddedNode
        do {
            node = try await EmbeddedNode.start(
                on: MultiThreadedEventLoopGroup.singleton,
                address: address.host,
                port: address.port,
                configuration: configuration
            )
        } catch {
            throw fail(Exit.unavailable, "\(address) cannot be listened on: \(error)")
        }
        Output.line("cluster '\(self.clusterName)' accepts connections on \(address.host):\(node.port)")
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: RunningNode(node: node))],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "cluster-sync") { _ in SwiftLogNoOpLogHandler() }
            )
        ).run()
    }

    private func password() throws -> String {
        guard let passwordFile else { throw fail(Exit.usage, "--user needs --password-file") }
        guard let contents = FileManager.default.contents(atPath: passwordFile) else {
            throw fail(Exit.usage, "--password-file: \(passwordFile) cannot be read")
        }
        let line = String(decoding: contents, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        guard !line.isEmpty else {
            throw fail(Exit.usage, "--password-file: the first line of \(passwordFile) is empty")
        }
        return line
    }
}

/// Keeps a node up until a graceful shutdown.
struct RunningNode: Service {
    let node: EmbeddedNode

    func run() async throws {
        try? await gracefulShutdown()
        await self.node.stop()
    }
}
