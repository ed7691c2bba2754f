import CQLClient
import DualWriteCore
import NIOCore
import ShadowJournal

/// When what was appended leaves: one write for each channel and tick.
extension DualWriterLoop {
    /// The frames of one read follow; ``burstEnded()`` must come after them.
    func burstBegan() { self.clock.hold() }

    func burstEnded() { self.clock.letGo() }

    func needsFlush(_ client: ClientConnection) {
        self.dirtyClients.append(client)
        self.scheduleTick()
    }

    func needsFlush(_ upstream: UpstreamConnection) {
        self.dirtyUpstreams.append(upstream)
        self.scheduleTick()
    }

    /// Shadow writes leave together with those that come within this time: nobody waits for them, and the journal holds them.
    static var patience: TimeAmount { .milliseconds(5) }

    func mayFlushLater(_ upstream: UpstreamConnection) {
        self.patientUpstreams.append(upstream)
        guard self.patientUpstreams.count == 1 else { return }
        // It only fails when the loop has ended, and its connections with it.
        _ = try? self.eventLoop.assumeIsolated().scheduleCallback(in: Self.patience, handler: PatientFlush(loop: self))
    }

    func flushPatient() {
        // A flush can fail, and what is lost with its channel goes to other ones, which then wait anew.
        let upstreams = self.patientUpstreams
        self.patientUpstreams = []
        for upstream in upstreams { upstream.flush() }
    }

    /// All writes of a loop tick leave together at its end: one per channel, however many frames were in the burst.
    func scheduleTick() {
        guard !self.tickIsScheduled else { return }
        self.tickIsScheduled = true
        self.eventLoop.assumeIsolated().execute { self.flushAll() }
    }

    func flushAll() {
        self.tickIsScheduled = false
        // A flush can fail and close its channel, which can make other channels dirty: hence by index.
        var index = 0
        while index < self.dirtyUpstreams.count {
            self.dirtyUpstreams[index].flush()
            index += 1
        }
        self.dirtyUpstreams.removeAll(keepingCapacity: true)
        if self.store?.answersWaitForDisk == true, !self.dirtyClients.isEmpty {
            for cluster in Cluster.allCases { self.logs[cluster]?.syncNow() }
        }
        index = 0
        while index < self.dirtyClients.count {
            self.dirtyClients[index].flush()
            index += 1
        }
        self.dirtyClients.removeAll(keepingCapacity: true)
    }
}

/// The end of a wait for more shadow writes. A callback, because scheduling a task allocates, and this is done every few
/// milliseconds as long as anybody writes.
private struct PatientFlush: NIOScheduledCallbackHandler {
    let loop: DualWriterLoop

    func handleScheduledCallback(eventLoop: some EventLoop) { self.loop.flushPatient() }
}
