import DualWriter
import Logging
import Operations

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The end of the sidecar, as an operator or the preStop hook of Kubernetes asks for it.
extension SidecarControl {
    /// Notes who has asked, and begins what a SIGTERM begins: no new connections, every request under way gets its answer, the
    /// shadows get what they are owed, and the process ends with the exit codes of that.
    func drain(_ drain: Drain) async throws(AdminError) -> DrainDocument {
        let status = await self.proxy.currentStatus()
        var timeouts = self.timeouts
        if let deadline = drain.deadlineMs, !status.isDraining { timeouts.drainMilliseconds = deadline }
        let document = DrainDocument(
            wasDraining: status.isDraining,
            deadlineMs: timeouts.drainMilliseconds,
            clients: status.clients,
            owed: status.legs.reduce(0) { $0 + $1.shadowWritesQueued },
            journalled: status.hasJournal
        )
        guard !status.isDraining else { return document }
        do {
            try await self.proxy.setTimeouts(timeouts)
        } catch {
            throw AdminError(.changeFailed, "\(error)", hint: "The sidecar goes on.")
        }
        self.audit(
            .drain,
            "\(document.clients) clients, \(document.owed) writes owed, within \(document.deadlineMs) ms",
            by: drain.by,
            reason: drain.reason
        )
        self.logger.notice(
            "told to drain and end",
            metadata: [
                "by": "\(drain.by)", "reason": "\(drain.reason ?? "-")", "deadline-ms": "\(document.deadlineMs)",
            ]
        )
        // The same way as the machine's own: there is one way to stop, and it is tested.
        kill(getpid(), SIGTERM)
        return document
    }
}
