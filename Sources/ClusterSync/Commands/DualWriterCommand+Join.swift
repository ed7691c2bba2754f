import DualWriteCore
import DualWriter
import Logging
import Operations
import SharedState

/// A replica takes the write mode from the others before it serves anybody.
extension DualWriterCommand {
    /// Joins the others where the write mode is theirs, too.
    ///
    /// - Returns: nil with `control: file`; and the phase to begin with, which the state folder has by then.
    static func join(
        _ configuration: SidecarConfiguration,
        _ dualWriter: inout DualWriterConfiguration,
        _ store: PhaseStore,
        _ phase: PhaseState,
        logger: Logger
    ) async throws -> (shared: SharedMode?, phase: PhaseState) {
        guard configuration.replica.control == .cluster else { return (nil, phase) }
        guard !phase.modes.overrides.hasCanaries else {
            let what = "tenants that go ahead of their tables, which replicas with control: cluster cannot agree on"
            let how = "start it with control: file and take them back (phase override remove TABLES --tenant COLUMN)"
            throw fail(Exit.configuration, "The state folder has \(what): \(how).")
        }
        let (memory, kept): (ControlStore, Replica.Kept)
        do {
            (memory, kept) = try ControlStore.open(store.folder, id: configuration.replica.id)
        } catch {
            throw fail(Exit.state, error.description)
        }
        logger.notice("joining the other replicas", metadata: ["replica": "\(memory.id)"])
        let shared = await SharedMode(
            configuration.replica,
            dualWriter,
            admin: "\(configuration.admin.host):\(configuration.admin.port)",
            memory,
            kept,
            phase,
            logger: logger
        )
        // A replica that has never had a mode but that of its configuration must not guess.
        let isNew = kept.record == nil && phase.epoch == 0
        let record: SharedRecord?
        do {
            record = try await shared.control.join(isPatient: isNew)
        } catch let error as LacksRights {
            throw fail(Exit.configuration, Self.words(error, configuration.replica))
        } catch let error as NewerRecord {
            throw fail(
                Exit.state,
                "\(error)\nGuessing the write mode could send reads to the wrong cluster: start the version that wrote it."
            )
        }
        guard let record else {
            logger.warning(
                "no cluster's control state can be read: this replica begins with the write mode of its state folder",
                metadata: ["mode": "\(phase.mode)", "epoch": "\(phase.epoch)"]
            )
            return (shared, phase)
        }
        if let missing = SidecarControl.missing(
            record.stage.mode,
            record.modes.overrides,
            (configuration.source.hosts, configuration.target.hosts)
        ) {
            throw fail(Exit.configuration, missing)
        }
        logger.notice(
            "joined the other replicas",
            metadata: [
                "replica": "\(memory.id)", "stage": "\(record.modes)", "epoch": "\(record.epoch)",
                "unreadable": "\(shared.control.latest.faults.keys.map(\.description).sorted().joined(separator: ","))",
            ]
        )
        dualWriter.stage = record.stage
        dualWriter.epoch = Int(record.epoch)
        return (shared, try Self.keep(record, after: phase, in: store))
    }

    /// What to do where the role has not the rights.
    private static func words(_ error: LacksRights, _ settings: ReplicaSettings) -> String {
        let lines = LacksRights.instructions(replication: settings.replication).map { "    \($0)" }
        return """
            control: cluster needs a keyspace in both clusters, and \(error.description)
            Let an administrator of the \(error.cluster) cluster run:
            \(lines.joined(separator: "\n"))
            or use control: file, with which each replica has a write mode of its own.
            """
    }

    private static func keep(_ record: SharedRecord, after phase: PhaseState, in store: PhaseStore) throws -> PhaseState
    {
        var after = phase
        after.join(record)
        do {
            try store.save(after)
        } catch {
            throw fail(Exit.state, error.description)
        }
        return after
    }
}
