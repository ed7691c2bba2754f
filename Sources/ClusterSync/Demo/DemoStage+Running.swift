import Logging
import ServiceLifecycle
import UnixSignals

extension DemoStage {
    /// Runs the sidecar while `body` plays, and stops everything afterwards, whatever happens.
    ///
    /// - Parameter stays: whether everything stays up behind `body` until the program is told to end.
    /// - Throws: `ExitCode` where the sidecar cannot run, and what `body` throws.
    func withSidecar(stays: Bool, _ body: @Sendable @escaping () async throws -> Bool) async throws -> Bool {
        let group = ServiceGroup(
            configuration: .init(
                services: self.sidecar.services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "cluster-sync")
            )
        )
        let isFine: Bool
        do {
            isFine = try await withThrowingTaskGroup(of: Bool?.self) { tasks in
                tasks.addTask {
                    do {
                        try await group.run()
                    } catch {
                        throw fail(
                            Exit.unavailable,
                            "the sidecar cannot run: \(error)\n--listen and --admin name other addresses"
                        )
                    }
                    return nil
                }
                tasks.addTask {
                    let isFine = try await body()
                    if !stays { await group.triggerGracefulShutdown() }
                    return isFine
                }
                var isFine = false
                do {
                    for try await result in tasks { isFine = result ?? isFine }
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                return isFine
            }
        } catch {
            await self.stopNodes()
            throw error
        }
        await self.stopNodes()
        return isFine
    }
}
