import Operations
import Synchronization

/// A sidecar that only remembers what it was asked for.
final class FakeSidecar: AdminControl, HealthSource {
    struct State {
        var mode = "DualWriteAsync"
        var epoch = 3
        var readiness = Readiness.ready
        var refusal: AdminError?
        var phaseChanges: [PhaseChange] = []
        var configurationChanges: [ConfigurationChange] = []
    }

    private let state = Mutex(State())

    func with<Result>(_ body: (inout State) -> Result) -> Result { self.state.withLock { body(&$0) } }

    func status() async -> StatusDocument {
        let state = self.with { $0 }
        return StatusDocument(
            service: "dual-writer",
            version: "1.2.3",
            uptimeSeconds: 1.5,
            listen: "127.0.0.1:9042",
            mode: state.mode,
            epoch: state.epoch,
            readiness: state.readiness,
            draining: false,
            clients: 7,
            legs: [.init(cluster: "source", role: "primary", hosts: ["127.0.0.1:19042"])]
        )
    }

    func phase() async -> PhaseDocument {
        let state = self.with { $0 }
        return PhaseDocument(
            mode: state.mode,
            number: 1,
            epoch: state.epoch,
            primary: "source",
            shadow: "target",
            next: ["PrimaryOnly", "DualWriteSync"],
            history: []
        )
    }

    func change(_ change: PhaseChange) async throws(AdminError) -> PhaseDocument {
        let refusal = self.with { state -> AdminError? in
            state.phaseChanges.append(change)
            guard state.refusal == nil else { return state.refusal }
            state.mode = change.mode
            state.epoch += 1
            return nil
        }
        if let refusal { throw refusal }
        return await self.phase()
    }

    func configuration() async -> ConfigurationDocument {
        ConfigurationDocument(
            cassandraHosts: ["127.0.0.1:19042"],
            scyllaHosts: [],
            writeMode: self.with { $0.mode },
            validationPercentage: 0.5,
            shadowWriteTimeoutMs: 5_000,
            primaryWriteTimeoutMs: 10_000
        )
    }

    func apply(_ change: ConfigurationChange) async throws(AdminError) -> ConfigurationDocument {
        let refusal = self.with { state -> AdminError? in
            state.configurationChanges.append(change)
            return state.refusal
        }
        if let refusal { throw refusal }
        return await self.configuration()
    }

    func health() async -> HealthDocument {
        HealthDocument(
            status: "degraded",
            service: "dual-writer",
            version: "1.2.3",
            uptimeSeconds: 1.5,
            currentMode: self.with { $0.mode },
            validationRate: 0,
            source: .init(configured: true, connected: true),
            target: .init(configured: true, connected: false, error: "connection refused")
        )
    }

    func readiness() async -> Readiness { self.with { $0.readiness } }
}
