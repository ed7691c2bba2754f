import EmbeddedNode
import FoundationEssentials
import NIOPosix
import Operations
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A node that stands still keeps its connections. While nothing is sent to it nobody notices, unless the gates ask.
struct FrozenNodeTests {
    /// A sidecar between two nodes; both ports are of this machine.
    private static func sidecar(_ source: String, _ target: String, _ more: String = "") async throws -> SidecarProcess
    {
        let sidecar = try await SidecarProcess(files: [:]) { folder in
            """
            source: {hosts: ["127.0.0.1:\(source)"]}
            target: {hosts: ["127.0.0.1:\(target)"]}
            listen: 127.0.0.1:0
            admin: {listen: "127.0.0.1:0"}
            state_dir: \(folder)/state
            \(more)
            """
        }
        _ = try await sidecar.listenPort()
        return sidecar
    }

    private static func command(_ sidecar: SidecarProcess, _ words: String...) async throws -> ChildProcess.Result {
        try await ChildProcess.run(words + ["--endpoint", sidecar.admin])
    }

    @Test func `an idle target that is frozen stands against the next step at once, and no more when it goes on`()
        async throws
    {
        let source = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)
        let target = try ChildProcess(["node", "--listen", "127.0.0.1:0"])
        let listening = #/accepts connections on \S*:(\d+)\n/#
        try await eventually { target.output.contains(listening) }
        let port = try #require(target.output.firstMatch(of: listening)).output.1
        let sidecar = try await Self.sidecar("\(source.port)", String(port))
        // On a machine that has much to do it may take a second try.
        try await eventually {
            let well = try await Self.command(sidecar, "phase", "verdict")
            return well.code == 0 && well.output.contains("1 of 1 connected nodes answer")
        }

        target.signal(SIGSTOP)
        // Its connections stand: that is all that is known of it.
        #expect(try await sidecar.status().legs.map(\.connected) == [true, true])
        let frozen = try await Self.command(sidecar, "phase", "verdict")
        #expect(frozen.code == 1)
        #expect(frozen.output.contains("0 of 1 connected nodes answer"), "\(frozen.output)")
        #expect(frozen.output.contains("127.0.0.1:\(port) (silent for "), "\(frozen.output)")
        let refused = try await Self.command(sidecar, "phase", "set", "DualWriteAsync")
        #expect(refused.code == 1 && refused.errors.contains("  connected: "), "\(refused.errors)")
        #expect(try await sidecar.status().mode == "PrimaryOnly")

        target.signal(SIGCONT)
        // Meanwhile its connections may have been given up for silence.
        try await eventually { try await Self.command(sidecar, "phase", "set", "DualWriteAsync").code == 0 }
        #expect(await sidecar.stop().code == 0)
        await source.stop()
    }

    @Test func `a source that is silent stands against the way back to it, and against no step away from it`()
        async throws
    {
        let source = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)
        let target = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)
        let sidecar = try await Self.sidecar("\(source.port)", "\(target.port)", "write_mode: ShadowPrimary")
        // The path is cut without a word.
        source.setFaults([FaultRule(.any, .drop)])
        try await eventually {
            let forward = try await Self.command(sidecar, "phase", "verdict")
            return forward.code == 0 && forward.output.contains("TargetOnly")
        }
        let back = try await Self.command(sidecar, "phase", "verdict", "DualWriteSync")
        #expect(back.code == 1 && back.output.contains("source cluster do not answer"), "\(back.output)")
        // Force goes all the same, and the audit keeps that nobody answered.
        let forced = try await Self.command(sidecar, "phase", "rollback", "--force", "--reason", "a drill")
        #expect(forced.code == 0, "\(forced.errors)")
        #expect(try await Self.command(sidecar, "audit").output.contains("connected"))
        source.setFaults([])
        _ = await sidecar.stop()
        for node in [source, target] { await node.stop() }
    }
}
