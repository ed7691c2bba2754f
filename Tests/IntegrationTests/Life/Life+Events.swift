import CQLClient
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import Operations
import Synchronization
import Testing

/// What happens in a life, one thing at a time.
extension Life {
    private typealias Event = (name: String, act: @Sendable (Life) async throws -> Void)

    private static let events: [Event] = [
        ("mode", { try await $0.changeMode() }),
        ("node restarts", { try await $0.restartNode() }),
        ("node forgets", { life in life.allNodes.randomElement()?.forgetPrepared() }),
        (
            "service password",
            { life in
                let passwords = life.changePasswords { $0.service = "service \(UInt32.random(in: 0...(.max)))" }
                try await life.sidecar.replace(passwords.files, logged: "new password in use", times: 2)
            }
        ),
        (
            "app password",
            { life in
                let passwords = life.changePasswords { $0.app = "app \(UInt32.random(in: 0...(.max)))" }
                life.app.replace(password: passwords.app)
            }
        ),
        (
            "certificate",
            { life in
                let next = life.certificate.withLock { name in
                    name = name == "node" ? "elsewhere" : "node"
                    return name
                }
                try await life.sidecar.replace(try Life.certificateFiles(next), logged: "new certificates in use")
            }
        ),
        (
            "schema",
            { life in
                try await life.session { session in
                    let column = "c\(UInt32.random(in: 0...(.max)))"
                    try await session.query("ALTER TABLE life.t ADD \(column) int")
                    try await session.query("ALTER TABLE life.t DROP \(column)")
                }
            }
        ),
        (
            "crowd",
            { life in
                for _ in 0..<40 {
                    let client = try await TestClient.connect(to: life.address, on: Life.group)
                    client.sendRaw((0..<50).map { _ in UInt8.random(in: 0...255) })
                    await client.close()
                }
            }
        ),
    ]

    func happen(until deadline: ContinuousClock.Instant) async {
        var turn = 0
        // Each at least once, then as it comes.
        while ContinuousClock.now < deadline || turn < Self.events.count {
            let event =
                turn < Self.events.count ? Self.events[turn] : Self.events[Int.random(in: 0..<Self.events.count)]
            do {
                let began = ContinuousClock.now
                try await event.act(self)
                let took = ContinuousClock.now - began
                self.state.withLock {
                    $0.slowest[event.name] = max($0.slowest[event.name] ?? .zero, took)
                    $0.events[event.name, default: 0] += 1
                }
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                self.note(event.name, error)
            }
            turn += 1
        }
    }

    private var allNodes: [EmbeddedNode] { self.nodes.withLock { Array($0.values.joined()) } }

    private func changeMode() async throws {
        let now = try WriteMode(parsing: try await self.sidecar.status().mode)
        let neighbours = WriteMode.allCases.filter { abs(Int($0.rawValue) - Int(now.rawValue)) == 1 }
        // What is owed is a reason to wait, not a failure.
        if try await self.sidecar.setMode(neighbours.randomElement() ?? now) {
            self.state.withLock { $0.modeChanges += 1 }
        }
    }

    private func restartNode() async throws {
        let cluster = Cluster.allCases.randomElement() ?? .source
        let index = Int.random(in: 0..<2)
        guard let node = self.nodes.withLock({ $0[cluster]?[index] }) else { return }
        await node.kill()
        try await Task.sleep(for: .milliseconds(100))
        let again = try await Self.node(node.port, self.stores[cluster], self.passwords.withLock { $0 })
        self.nodes.withLock { $0[cluster]?[index] = again }
        // One at a time: two nodes bear the loss of one.
        try await eventually {
            let status = try await self.sidecar.status()
            let mode = try WriteMode(parsing: status.mode)
            return zip(Cluster.allCases, status.legs).allSatisfy { cluster, leg in
                leg.connected && (leg.nodesConnected == 2 || !mode.needs(cluster))
            }
        }
    }

    /// Changes them in both clusters.
    private func changePasswords(_ change: (inout Passwords) -> Void) -> Passwords {
        let passwords = self.passwords.withLock { passwords in
            change(&passwords)
            return passwords
        }
        for node in self.allNodes { node.setAuthentication(passwords.authentication) }
        return passwords
    }
}
